/* pleach-bench NAME [-n N] [-o json|text] */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 64 };

static const struct {
	const char *name, *about;
	bool (*run)(const struct bench_options *options);
} benches[] = {
	{ "plan", "loading and planning 100, 1,000 and 10,000 VNFs (-n: so many)", bench_plan },
	{ "heal", "NF or VNFC killed until it answers again, 50 times each (-n: so often); needs haproxy", bench_heal },
	{ "leaf", "the agent in each VNF: from exec to serving, memory, size; 200 times (-n: so often)", bench_leaf },
	{ "provision", "from a commit seen to a VNF that runs: 200 single ones, 100 beside 900 others, 1,000 at once (-n: so many)", bench_provision },
};

static int usage(FILE *out)
{
	fprintf(out, "usage: pleach-bench NAME [-n N] [-o json|text]\n");
	for (size_t i = 0; i < G_N_ELEMENTS(benches); i++)
		fprintf(out, "  %-12s %s\n", benches[i].name, benches[i].about);
	return out == stdout ? 0 : EXIT_USAGE;
}

static bool parse(int argc, char **argv, struct bench_options *ret, const char **ret_name)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc) {
			guint64 n = 0;
			if (!g_ascii_string_to_unsigned(argv[++i], 10, 1, 1000 * 1000, &n, NULL))
				return false;
			ret->n = n;
		} else if (!strcmp(argv[i], "-o") && i + 1 < argc) {
			i++;
			if (strcmp(argv[i], "json") && strcmp(argv[i], "text"))
				return false;
			ret->json = !strcmp(argv[i], "json");
		} else if (argv[i][0] != '-' && !*ret_name) {
			*ret_name = argv[i];
		} else {
			return false;
		}
	}
	return *ret_name != NULL;
}

int main(int argc, char **argv)
{
	struct bench_options options = { 0 };
	signal(SIGPIPE, SIG_IGN); /* whoever reads only the first lines does not keep the site from being taken away */
	const char *name = NULL;
	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (!parse(argc, argv, &options, &name))
		return usage(stderr);
	for (size_t i = 0; i < G_N_ELEMENTS(benches); i++)
		if (!strcmp(benches[i].name, name))
			return benches[i].run(&options) ? 0 : 1;
	return usage(stderr);
}

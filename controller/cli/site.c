/* pleach site: what runs on this machine and of whom; taking all of one owner away. */
#include "cli/verbs.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { CLEAN_TIMEOUT_S = 60 };

static char *option_owner;
static gboolean option_all, option_yes;

static const GOptionEntry options[] = {
	{ "owner", 0, 0, G_OPTION_ARG_STRING, &option_owner, "clean: the owner whose things are taken away", "NAME" },
	{ "all", 0, 0, G_OPTION_ARG_NONE, &option_all, "clean: of every owner", NULL },
	{ "yes", 'y', 0, G_OPTION_ARG_NONE, &option_yes, "clean: do not ask", NULL },
	{ NULL },
};

struct found {
	const struct vim_ops *ops;
	struct vim_site *site;
};

static void found_free(gpointer data)
{
	struct found *found = data;
	vim_site_free(found->site);
	g_free(found);
}

static GPtrArray *find_sites(const struct cli *cli, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(found_free);
	for (size_t i = 0; i < cli->registry->n_vims; i++) {
		const struct vim_ops *ops = cli->registry->vims[i];
		g_autoptr(GPtrArray) sites = g_ptr_array_new();
		if (!ops->list)
			continue;
		if (!ops->list(sites, error))
			return NULL;
		for (guint j = 0; j < sites->len; j++) {
			struct found *found = g_new(struct found, 1);
			*found = (struct found) { .ops = ops, .site = g_ptr_array_index(sites, j) };
			g_ptr_array_add(all, found);
		}
	}
	return g_steal_pointer(&all);
}

static void print_json(const GPtrArray *sites)
{
	g_autoptr(json_t) list = json_array();
	for (guint i = 0; i < sites->len; i++) {
		const struct found *found = g_ptr_array_index(sites, i);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s*}", "site", found->site->site, "owner", found->site->owner,
						      "driver", found->ops->name, "pid", (json_int_t) found->site->pid, "links",
						      (json_int_t) found->site->n_links, "vnfcs", (json_int_t) found->site->n_vnfcs,
						      "trouble", found->site->trouble));
	}
	g_autofree char *text = json_text(list, 2);
	printf("%s\n", text);
}

/* "-": not known */
static const char *count_text(gint64 n, char text[24])
{
	g_snprintf(text, 24, n < 0 ? "-" : "%" G_GINT64_FORMAT, n);
	return text;
}

static void print_trouble(const struct found *found)
{
	fprintf(stderr, "pleach: site %s of owner %s: %s\n", found->site->site, found->site->owner, found->site->trouble);
}

/* EXIT_FAULT when one of them is in trouble. */
static int print_text(const GPtrArray *sites)
{
	int status = EXIT_OK;
	if (sites->len == 0)
		printf("no site runs on this machine under this user\n");
	else
		printf("%-20s %-24s %-8s %8s %6s %6s\n", "SITE", "OWNER", "DRIVER", "KEEPER", "LINKS", "VNFCS");
	for (guint i = 0; i < sites->len; i++) {
		const struct found *found = g_ptr_array_index(sites, i);
		char links[24], vnfcs[24];
		printf("%-20s %-24s %-8s %8" G_GINT64_FORMAT " %6s %6s\n", found->site->site, found->site->owner, found->ops->name,
		       found->site->pid, count_text(found->site->n_links, links), count_text(found->site->n_vnfcs, vnfcs));
	}
	fflush(stdout);
	for (guint i = 0; i < sites->len; i++) {
		const struct found *found = g_ptr_array_index(sites, i);
		if (!found->site->trouble)
			continue;
		print_trouble(found);
		status = EXIT_FAULT;
	}
	return status;
}

static int list(const struct cli *cli)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sites = find_sites(cli, &error);
	if (!sites)
		return cli_fail(error);
	if (cli->output == OUTPUT_JSON) {
		print_json(sites);
		return EXIT_OK;
	}
	return print_text(sites);
}

static bool confirmed(const struct found *found)
{
	if (option_yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "pleach: nobody can be asked here; say --yes to take it away\n");
		return false;
	}
	printf("Take away site %s of owner %s: %" G_GINT64_FORMAT " VNFCs, %" G_GINT64_FORMAT " links? [y/N] ", found->site->site,
	       found->site->owner, found->site->n_vnfcs, found->site->n_links);
	fflush(stdout);
	int answer = getchar();
	return answer == 'y' || answer == 'Y';
}

static bool clean_one(const struct found *found, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	const struct site site = {
		.name = found->site->site,
		.owner = found->site->owner,
		.vim = { .name = "vim", .driver = found->ops->name, .options = value_map(arena, NULL, NULL, 0) },
	};
	struct vim *vim = found->ops->open(&site, error);
	if (!vim)
		return false;
	const struct call call = { .deadline_us = clock_monotonic_us() + CLEAN_TIMEOUT_S * G_USEC_PER_SEC, .cancel_fd = -1 };
	bool good = found->ops->clean(vim, &call, error);
	found->ops->close(vim);
	return good;
}

static int clean(const struct cli *cli)
{
	if (!option_owner == !option_all)
		return cli_usage("site clean: say whose: --owner NAME, or --all");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sites = find_sites(cli, &error);
	if (!sites)
		return cli_fail(error);
	unsigned n = 0;
	int status = EXIT_OK;
	for (guint i = 0; i < sites->len; i++) {
		const struct found *found = g_ptr_array_index(sites, i);
		if (option_owner && !g_str_equal(found->site->owner, option_owner))
			continue;
		n++;
		if (found->site->trouble) {
			print_trouble(found);
			status = EXIT_FAULT;
			continue;
		}
		if (!confirmed(found))
			return EXIT_FAULT;
		if (!clean_one(found, &error))
			return cli_fail(error);
		printf("site %s of owner %s: taken away\n", found->site->site, found->site->owner);
	}
	if (n == 0 && option_owner) {
		fprintf(stderr, "pleach: nothing of owner %s runs on this machine under this user; `pleach site list` shows what does\n",
			option_owner);
		return EXIT_FAULT;
	}
	return status;
}

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc == 2 && g_str_equal(argv[1], "list"))
		return list(cli);
	if (argc == 2 && g_str_equal(argv[1], "clean"))
		return clean(cli);
	return cli_usage("site: say `pleach site list` or `pleach site clean --owner NAME`");
}

const struct command command_site = {
	.name = "site",
	.arguments = "list | clean --owner NAME",
	.summary = "what runs on this machine, of whom; take all of one owner away",
	.details = "clean does not stop a controller, which would make everything again: stop it first.\n\n"
		   "Exit status: 0 done, 1 not.",
	.options = options,
	.outputs = "text|json",
	.run = run,
};

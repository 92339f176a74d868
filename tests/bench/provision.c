/* pleach-bench provision: from a commit that is seen to a VNF that runs, its interfaces up, its agent answering.
 *
 * The real loop in this process: inotify, Git, TOSCA, plan, journal on disk, keeper, leaf. Held against the bare system calls of a
 * micro-VNF in a loop (bare.c), in the same run.
 */
#include "bare.h"
#include "bench.h"
#include "lab.h"

enum { SINGLE_N = 200, MANY_N = 1000, GROWN_N = 100, GROWN_BEFORE = 900 };

/* One service a commit: each commit's time from the event to the agent's answer. The first commit has @before. */
static bool measure_single(const struct bench_options *options, size_t before, size_t n, const GArray *bare, GError **error)
{
	auto_ptr(lab) lab = lab_new_grown(before, n, error);
	if (!lab)
		return false;
	g_autofree char *name = before > 1 ? g_strdup_printf("one VNF a commit, beside %zu others", before) : g_strdup("one VNF a commit");
	struct bench_case one;
	bench_case_init(&one, "provision", name, n);
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(double));
	for (size_t i = 0; i < n; i++) {
		double seen_ms, answered_ms;
		if (!lab_step(lab, i, &seen_ms, &answered_ms, error))
			return false;
		/* The first commit also starts the keeper and reads the profile: told apart. */
		if (i == 0) {
			bench_case_more(&one, "first_ms", json_real(answered_ms));
			bench_case_begin(&one);
		} else {
			bench_case_add(&one, answered_ms);
		}
		g_array_append_val(seen, seen_ms);
	}
	bench_case_more(&one, "push_to_seen_p50_ms", json_real(bench_percentile(seen, 50)));
	bench_case_more(&one, "push_to_seen_p99_ms", json_real(bench_percentile(seen, 99)));
	one.yardstick = "bare system calls of one micro-VNF";
	one.yardstick_ms = bench_percentile(bare, 50);
	bench_case_more(&one, "yardstick_p99_ms", json_real(bench_percentile(bare, 99)));
	bench_case_report(&one, options);
	return true;
}

/* All in one commit: the time until the whole network has converged. */
static bool measure_many(const struct bench_options *options, size_t n, const GArray *bare, GError **error)
{
	auto_ptr(lab) lab = lab_new(1, n, error);
	if (!lab)
		return false;
	struct bench_case one;
	bench_case_init(&one, "provision", "all VNFs in one commit", n);
	double seen_ms, answered_ms, total_ms = 0;
	if (!lab_step(lab, 0, &seen_ms, &answered_ms, error))
		return false;
	bench_case_add(&one, answered_ms);
	for (guint i = 0; i < bare->len; i++)
		total_ms += g_array_index(bare, double, i);
	bench_case_more(&one, "per_vnf_ms", json_real(answered_ms / (double) n));
	one.yardstick = "bare system calls of as many micro-VNFs";
	one.yardstick_ms = total_ms;
	bench_case_report(&one, options);
	return true;
}

static GArray *bare_times(size_t n, GError **error)
{
	g_autoptr(GArray) ms = g_array_sized_new(FALSE, TRUE, sizeof(double), (guint) n);
	g_array_set_size(ms, (guint) n);
	return bare_loop(n, (double *) (gpointer) ms->data, error) ? g_steal_pointer(&ms) : NULL;
}

bool bench_provision(const struct bench_options *options)
{
	g_autoptr(GError) error = NULL;
	size_t single_n = options->n ? options->n : SINGLE_N, many_n = options->n ? options->n : MANY_N;
	g_autoptr(GArray) bare_single = bare_times(single_n, &error);
	size_t grown_n = options->n ? options->n : GROWN_N;
	if (bare_single && measure_single(options, 1, single_n, bare_single, &error) &&
	    measure_single(options, GROWN_BEFORE, grown_n + 1, bare_single, &error)) {
		g_autoptr(GArray) bare_many = bare_times(many_n, &error);
		if (bare_many && measure_many(options, many_n, bare_many, &error))
			return true;
	}
	g_printerr("pleach-bench: provision: %s\n", error->message);
	return false;
}

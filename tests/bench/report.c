#include "bench.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double bench_now_ms(void)
{
	return (double) clock_monotonic_us() / 1000;
}

long bench_peak_rss_kib(void)
{
	struct rusage usage = { 0 };
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static double cpu_now_ms(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

void bench_case_init(struct bench_case *one, const char *bench, const char *name, size_t n)
{
	*one = (struct bench_case) { .bench = bench, .name = name, .n = n, .ms = g_array_new(FALSE, FALSE, sizeof(double)) };
	one->more = json_object();
	one->cpu_from_ms = one->cpu_to_ms = cpu_now_ms();
}

void bench_case_begin(struct bench_case *one)
{
	one->cpu_from_ms = one->cpu_to_ms = cpu_now_ms();
}

void bench_case_add(struct bench_case *one, double ms)
{
	g_array_append_val(one->ms, ms);
	one->cpu_to_ms = cpu_now_ms();
}

void bench_case_more(struct bench_case *one, const char *name, json_t *value)
{
	json_object_set_new(one->more, name, value);
}

static int double_order(gconstpointer a, gconstpointer b)
{
	double left = *(const double *) a, right = *(const double *) b;
	return (left > right) - (left < right);
}

double bench_percentile(const GArray *ms, double per_cent)
{
	if (!ms->len)
		return 0;
	g_autoptr(GArray) sorted = g_array_sized_new(FALSE, FALSE, sizeof(double), ms->len);
	g_array_append_vals(sorted, ms->data, ms->len);
	g_array_sort(sorted, double_order);
	guint rank = (guint) (per_cent / 100 * sorted->len + 0.999999);
	return g_array_index(sorted, double, CLAMP(rank, 1, sorted->len) - 1);
}

static double cpu_ms_per_try(const struct bench_case *one)
{
	return one->ms->len ? (one->cpu_to_ms - one->cpu_from_ms) / one->ms->len : 0;
}

static void print_text(const struct bench_case *one, double p50_ms, double p99_ms, double total_ms)
{
	printf("%s, %s, %zu: p50 %.3f ms, p99 %.3f ms, all %.1f ms, processor %.3f ms per try", one->bench, one->name, one->n, p50_ms,
	       p99_ms, total_ms, cpu_ms_per_try(one));
	if (one->yardstick)
		printf("; %.1f times %s (%.3f ms)", p50_ms / one->yardstick_ms, one->yardstick, one->yardstick_ms);
	const char *name;
	json_t *value;
	json_object_foreach(one->more, name, value) {
		g_autofree char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		printf("; %s %s", name, text);
	}
	printf("\n");
}

/* Microseconds are as fine as the clock is meaningful. */
static json_t *rounded(double value)
{
	return json_real((double) (gint64) (value * 1000 + 0.5) / 1000);
}

static void print_json(const struct bench_case *one, double p50_ms, double p99_ms, double total_ms)
{
	g_autoptr(json_t) line = json_deep_copy(one->more);
	json_object_set_new(line, "bench", json_string(one->bench));
	json_object_set_new(line, "case", json_string(one->name));
	json_object_set_new(line, "n", json_integer((json_int_t) one->n));
	json_object_set_new(line, "tries", json_integer(one->ms->len));
	json_object_set_new(line, "p50_ms", rounded(p50_ms));
	json_object_set_new(line, "p99_ms", rounded(p99_ms));
	json_object_set_new(line, "total_ms", rounded(total_ms));
	json_object_set_new(line, "cpu_ms_per_try", rounded(cpu_ms_per_try(one)));
	json_object_set_new(line, "peak_rss_kib", json_integer(bench_peak_rss_kib()));
	if (one->yardstick) {
		json_object_set_new(line, "yardstick", json_string(one->yardstick));
		json_object_set_new(line, "yardstick_ms", rounded(one->yardstick_ms));
		json_object_set_new(line, "ratio", rounded(p50_ms / one->yardstick_ms));
	}
	/* as many digits as the figures are worth, not as a double has */
	g_autofree char *text = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(9));
	printf("%s\n", text);
}

void bench_case_report(struct bench_case *one, const struct bench_options *options)
{
	double p50_ms = bench_percentile(one->ms, 50), p99_ms = bench_percentile(one->ms, 99), total_ms = 0;
	for (guint i = 0; i < one->ms->len; i++)
		total_ms += g_array_index(one->ms, double, i);
	(options->json ? print_json : print_text)(one, p50_ms, p99_ms, total_ms);
	fflush(stdout);
	g_array_unref(one->ms);
	json_decref(one->more);
}

/* pleach-bench: measures, and says what it measured against in the same run. Not a test: nothing here passes or fails.
 *
 * Every case prints one line: a JSON object (-o json) or words (-o text). Every figure has its unit in its name.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct bench_options {
	size_t n; /* -n: 0 where it was not given */
	bool json;
};

/* One case of a bench. */
struct bench_case {
	const char *bench, *name;
	size_t n;
	GArray *ms;            /* double: each try */
	double cpu_from_ms, cpu_to_ms; /* of this process, at init and at the last add: what others do on the machine is not in it */
	const char *yardstick; /* what it is held against */
	double yardstick_ms;   /* of one try: compared with the median */
	json_t *more;          /* further members; or NULL */
};

void bench_case_init(struct bench_case *one, const char *bench, const char *name, size_t n);
void bench_case_begin(struct bench_case *one); /* the processor's time counts from now on, not from init */
void bench_case_add(struct bench_case *one, double ms);
/* Takes the reference to @value. */
void bench_case_more(struct bench_case *one, const char *name, json_t *value);
/* Prints the line and clears @one. */
void bench_case_report(struct bench_case *one, const struct bench_options *options);

/* Of sorted or unsorted samples: the value that @per_cent of them do not exceed. */
double bench_percentile(const GArray *ms, double per_cent);

double bench_now_ms(void); /* monotonic */
long bench_peak_rss_kib(void);

/* The benches: each prints its cases. False (and words on standard error) when it could not be done. */
bool bench_plan(const struct bench_options *options);
bool bench_provision(const struct bench_options *options);
bool bench_heal(const struct bench_options *options);
bool bench_leaf(const struct bench_options *options);

#include "ems/perf.h"

#include "model/key.h"

#include <math.h>
#include <string.h>

enum compare { EQUAL, GREATER_THAN, GREATER_OR_EQUAL, LESS_THAN, LESS_OR_EQUAL };

static const struct {
	const char *name, *words;
} compares[] = {
	[EQUAL] = { "equal", "equal to" },
	[GREATER_THAN] = { "greater_than", "above" },
	[GREATER_OR_EQUAL] = { "greater_or_equal", "at or above" },
	[LESS_THAN] = { "less_than", "below" },
	[LESS_OR_EQUAL] = { "less_or_equal", "at or below" },
};

#define EQUAL_WITHIN 1e-9 /* of the threshold: rates are no whole numbers */

struct indicator {
	const char *name;
	enum metric metric;
	enum compare compare;
	double threshold;
	struct origin origin;
};

static bool number_of(const struct value *value, double *ret)
{
	*ret = value->type == VALUE_INTEGER ? (double) value->integer : value->type == VALUE_FLOAT ? value->number : 0;
	return value->type == VALUE_INTEGER || value->type == VALUE_FLOAT;
}

static bool compare_parse(const char *name, enum compare *ret)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(compares); i++) {
		if (strcmp(name, compares[i].name) == 0) {
			*ret = (enum compare) i;
			return true;
		}
	}
	return false;
}

/* False: not one that this version understands; desired/ has said so. */
static bool read_indicator(struct arena *arena, const struct object *nf, const char *name, struct indicator *ret)
{
	const char *metric_path = arena_printf(arena, "indicator.%s.metric", name);
	const char *metric = object_string(nf, metric_path, ""),
		   *compare = object_string(nf, arena_printf(arena, "indicator.%s.compare", name), "greater_or_equal");
	const struct field *field = object_field(nf, metric_path);
	*ret = (struct indicator) { .name = name, .origin = field ? field->origin : nf->origin };
	return metric_parse(metric, &ret->metric) && compare_parse(compare, &ret->compare) &&
	       number_of(object_value(nf, arena_printf(arena, "indicator.%s.value", name)), &ret->threshold);
}

static bool is_beyond(const struct indicator *indicator, double value, bool was)
{
	double slack = was ? fabs(indicator->threshold) * PERF_HYSTERESIS_PERCENT / 100 : 0;
	switch (indicator->compare) {
	case EQUAL:
		return fabs(value - indicator->threshold) <= fabs(indicator->threshold) * EQUAL_WITHIN;
	case GREATER_THAN:
		return value > indicator->threshold - slack;
	case GREATER_OR_EQUAL:
		return value >= indicator->threshold - slack;
	case LESS_THAN:
		return value < indicator->threshold + slack;
	case LESS_OR_EQUAL:
		return value <= indicator->threshold + slack;
	}
	g_assert_not_reached();
}

static void tell(const struct object *nf, const struct indicator *indicator, double value, bool beyond, struct arena *arena,
		 GArray *events)
{
	const struct vib_event event = {
		.key = nf->key,
		.kind = "threshold",
		.text = arena_printf(arena, "%s: %s is %.6g, %s %s %.6g", indicator->name, metric_name(indicator->metric), value,
				     beyond ? "which is" : "no longer", compares[indicator->compare].words, indicator->threshold),
		.origin = indicator->origin,
	};
	g_array_append_val(events, event);
}

const char *perf_compare(const struct object *nf, const struct sample *before, const struct sample *now, const char *crossed,
			 struct arena *arena, GArray *events)
{
	size_t n;
	const char *const *names = object_elements(arena, nf, "indicator", &n);
	g_auto(GStrv) were = g_strsplit(crossed ? crossed : "", " ", -1);
	g_autoptr(GString) beyond = g_string_new(NULL);
	for (size_t i = 0; i < MIN(n, PERF_INDICATORS_MAX); i++) {
		struct indicator indicator;
		double value;
		if (!read_indicator(arena, nf, names[i], &indicator))
			continue;
		bool was = g_strv_contains((const char *const *) were, names[i]), is = was;
		if (metric_value(indicator.metric, before, now, &value)) {
			is = is_beyond(&indicator, value, was);
			if (is != was)
				tell(nf, &indicator, value, is, arena, events);
		}
		if (is)
			g_string_append_printf(beyond, "%s%s", beyond->len ? " " : "", names[i]);
	}
	return beyond->len ? arena_strdup(arena, beyond->str) : NULL;
}

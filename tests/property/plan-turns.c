/* Instances of one VDU take turns (plan/turns.c), over random networks: whichever of the orders that a plan allows is taken, at no moment is
 * more than one of those that serve disturbed, and none while another one is down and not mended yet. Only where one reads of the other
 * may a turn yield. */
#include "planlab.h"

enum { RUNS = 400, FAMILIES = 3, INSTANCES = 4, STEPS_MAX = 64 };

enum fortune { FINE, CONFIGURED, RESTARTED, VNFC_RESTARTED, DEAD, GONE, NF_FAILED, NEW, REMOVED, N_FORTUNES };

static struct lab lab;

static bool chance(int percent)
{
	return g_test_rand_int_range(0, 100) < percent;
}

static void add(const char *kind, const char *path, const char *desired, const char *last, const char *observed)
{
	g_autofree char *key = g_strdup_printf("%s/%s", kind, path), *host = g_strdup_printf("vnfc/%s", path);
	if (desired)
		lab_desired(&lab, key, desired, g_str_equal(kind, "nf") ? host : NULL);
	if (last)
		lab_last(&lab, key, 1, last);
	if (observed)
		lab_observed(&lab, key, 1, observed);
}

static void add_instance(const char *path, enum fortune fortune, const char *reads)
{
	const char *vnfc = "state=running hostname=a cp.p.link=link/l cp.p.addresses=[10.0.0.2]";
	const char *as_it_was = "state=started command=[a] config.c.path=/c config.c.content=a", *nf = as_it_was;
	g_autofree char *reader = g_strdup_printf("state=started command=[a] config.c.path=/c config.c.content=@vnfc/%s:cp.p.addresses:0",
						  reads ? reads : "");
	if (fortune == CONFIGURED)
		nf = reads ? reader : "state=started command=[a] config.c.path=/c config.c.content=b";
	else if (fortune == RESTARTED)
		nf = "state=started command=[b] config.c.path=/c config.c.content=a";
	const char *failed = "state=failed command=[a] config.c.path=/c config.c.content=a";
	bool is_new = fortune == NEW, is_gone = fortune == GONE || is_new, is_dead = fortune == DEAD || is_gone;
	add("vnfc", path, fortune == REMOVED ? NULL : vnfc, is_new ? NULL : vnfc,
	    is_gone                        ? NULL
	    : fortune == DEAD              ? "state=failed hostname=a"
	    : fortune == VNFC_RESTARTED    ? "state=running hostname=b cp.p.link=link/l cp.p.addresses=[10.0.0.2]"
					   : vnfc);
	add("nf", path, fortune == REMOVED ? NULL : nf, is_new ? NULL : as_it_was, is_dead ? NULL : fortune == NF_FAILED ? failed : as_it_was);
}

/* --- what comes after what, through others too -------------------------------------------------------------------------------- */

static bool after[STEPS_MAX][STEPS_MAX];

static void close_over(const struct plan *plan)
{
	memset(after, 0, sizeof(after));
	g_assert_cmpuint(plan->n_steps, <=, STEPS_MAX);
	for (size_t i = 0; i < plan->n_steps; i++) /* what a step comes after stands before it */
		for (size_t j = 0; j < plan->steps[i].n_after; j++) {
			size_t before = plan->steps[i].after[j];
			after[i][before] = true;
			for (size_t k = 0; k < before; k++)
				after[i][k] |= after[before][k];
		}
}

static size_t steps_of(const struct plan *plan, const char *path, size_t found[2])
{
	static const char *const kinds[] = { "vnfc", "nf" };
	size_t n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *key = g_strdup_printf("%s/%s", kinds[i], path);
		const struct step *step = plan_step(plan, key);
		if (step)
			found[n++] = (size_t) (step - plan->steps);
	}
	return n;
}

/* False: one of them has no step (it reads of what goes). */
static bool relate(const struct plan *plan, const char *former, const char *later, bool *ret_all, bool *ret_yields)
{
	size_t first[2], second[2], n_first = steps_of(plan, former, first), n_second = steps_of(plan, later, second);
	*ret_all = true;
	*ret_yields = false;
	for (size_t i = 0; i < n_first; i++)
		for (size_t j = 0; j < n_second; j++) {
			*ret_all = *ret_all && after[second[j]][first[i]];
			*ret_yields = *ret_yields || after[first[i]][second[j]];
		}
	return n_first && n_second;
}

/* --- the property ------------------------------------------------------------------------------------------------------------------ */

static bool disturbs(enum fortune fortune)
{
	return fortune == CONFIGURED || fortune == RESTARTED || fortune == VNFC_RESTARTED;
}

static bool is_down(enum fortune fortune)
{
	return fortune == DEAD || fortune == GONE || fortune == NF_FAILED;
}

static unsigned check_family(const struct plan *plan, char *paths[INSTANCES], const enum fortune fortunes[INSTANCES], bool reads)
{
	unsigned checked = 0;
	for (size_t i = 0; i < INSTANCES; i++)
		for (size_t j = 0; j < INSTANCES; j++) {
			bool both = i < j && disturbs(fortunes[i]) && disturbs(fortunes[j]);
			bool mends_first = is_down(fortunes[i]) && disturbs(fortunes[j]);
			bool together = i != j && is_down(fortunes[i]) && is_down(fortunes[j]);
			bool all, yields;
			if (!both && !mends_first && !together)
				continue;
			if (!relate(plan, paths[i], paths[j], &all, &yields))
				g_assert_true(reads);
			else if (together)
				g_assert_true(reads || !all);
			else
				g_assert_true(all || (reads && yields));
			checked++;
		}
	return checked;
}

static unsigned run_once(bool with_readers)
{
	char *paths[FAMILIES][INSTANCES];
	enum fortune fortunes[FAMILIES][INSTANCES];
	lab_init(&lab);
	lab_settled(&lab, "link/l", 1, "mtu=1500", NULL);
	for (int f = 0; f < FAMILIES; f++)
		for (int i = 0; i < INSTANCES; i++) {
			paths[f][i] = i % 2 ? g_strdup_printf("a.v%d.w.%d", f, i / 2) : g_strdup_printf("a.v%d.%d.w.%d", f, 1 + f, i / 2);
			fortunes[f][i] = (enum fortune) g_test_rand_int_range(0, N_FORTUNES);
		}
	/* Those of the first instance of the VNF come before those of the next. */
	for (int f = 0; f < FAMILIES; f++) {
		char *swap = paths[f][0];
		paths[f][0] = paths[f][1];
		paths[f][1] = paths[f][3];
		paths[f][3] = paths[f][2];
		paths[f][2] = swap;
	}
	for (int f = 0; f < FAMILIES; f++)
		for (int i = 0; i < INSTANCES; i++) {
			const char *read = paths[g_test_rand_int_range(0, FAMILIES)][g_test_rand_int_range(0, INSTANCES)];
			add_instance(paths[f][i], fortunes[f][i], with_readers && chance(60) ? read : NULL);
		}
	auto_ptr(plan) plan = lab_plan(&lab);
	close_over(plan);
	unsigned checked = 0;
	for (int f = 0; f < FAMILIES; f++)
		checked += check_family(plan, paths[f], fortunes[f], with_readers);
	for (int f = 0; f < FAMILIES; f++)
		for (int i = 0; i < INSTANCES; i++)
			g_free(paths[f][i]);
	lab_clear(&lab);
	return checked;
}

static void test_turns(gconstpointer with_readers)
{
	unsigned checked = 0;
	for (int i = 0; i < RUNS; i++)
		checked += run_once(with_readers != NULL);
	g_assert_cmpuint(checked, >, RUNS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/plan/turns/alone", NULL, test_turns);
	g_test_add_data_func("/plan/turns/with-readers", "yes", test_turns);
	return g_test_run();
}

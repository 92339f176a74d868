/* What is held stays in the plan, with the reason, and takes along what comes after it; nothing else of the plan changes. */
#include "planlab.h"

static const char *held_pattern;

static const char *held(const char *key, struct arena *arena, void *data)
{
	return key_matches(key, held_pattern) ? "because" : NULL;
}

static struct plan *plan_with(struct lab *lab, const char *pattern)
{
	held_pattern = pattern;
	lab->held = held;
	return lab_plan(lab);
}

static void expect(struct lab *lab, const char *pattern, const char *key, const char *reason)
{
	auto_ptr(plan) plan = plan_with(lab, pattern);
	const struct step *step = plan_step(plan, key);
	g_assert_nonnull(step);
	g_assert_cmpstr(step->held, ==, reason);
}

static void test_chain(void)
{
	struct lab lab;
	lab_init(&lab);
	lab_desired(&lab, "link/a.lan", "mtu=1500 state=up", NULL);
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.lan", "link/a.lan");
	lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
	lab_desired(&lab, "link/b.lan", "mtu=1500 state=up", NULL);
	expect(&lab, "link/a.lan", "link/a.lan", "because");
	expect(&lab, "link/a.lan", "vnfc/a.w.0", "comes after link/a.lan, which is held: because");
	expect(&lab, "link/a.lan", "nf/a.w.0", "comes after link/a.lan, which is held: because");
	expect(&lab, "link/a.lan", "link/b.lan", NULL);
	auto_ptr(plan) free_plan = plan_with(&lab, "nothing/**");
	auto_ptr(plan) some = plan_with(&lab, "a.**");
	g_assert_cmpuint(free_plan->n_held, ==, 0);
	g_assert_cmpuint(some->n_held, ==, 3);
	g_assert_cmpstr(lab_text(&lab, free_plan, true), ==, lab_text(&lab, some, true));
	lab_clear(&lab);
}

/* What is held inside an object holds what would end it, and nothing less. */
static void test_hosted(void)
{
	struct lab lab;
	lab_init(&lab);
	lab_settled(&lab, "nf/a.w.0", 1, "state=started", "vnfc/a.w.0");
	lab_desired(&lab, "vnfc/a.w.0", "state=running vcpus=2", NULL);
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running vcpus=1");
	lab_observed(&lab, "vnfc/a.w.0", 1, "state=running vcpus=1");
	static const struct cap_override restarts[] = { { "vnfc", "vcpus", COST_RESTART } }, changes[] = { { "vnfc", "vcpus", COST_IN_PLACE } };
	static const struct caps restarting = { .driver = "x", .overrides = restarts, .n_overrides = 1 };
	static const struct caps changing = { .driver = "x", .overrides = changes, .n_overrides = 1 };
	lab.caps = &restarting;
	expect(&lab, "nf/**", "vnfc/a.w.0", "nf/a.w.0 is in it: because");
	lab.caps = &changing;
	expect(&lab, "nf/**", "vnfc/a.w.0", NULL);
	lab_clear(&lab);
}

static void test_removal(void)
{
	struct lab lab;
	lab_init(&lab);
	lab_last(&lab, "link/a.lan", 1, "mtu=1500");
	lab_observed(&lab, "link/a.lan", 1, "mtu=1500");
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running cp.p.link=link/a.lan");
	lab_observed(&lab, "vnfc/a.w.0", 1, "state=running cp.p.link=link/a.lan");
	expect(&lab, "vnfc/**", "vnfc/a.w.0", "because");
	expect(&lab, "vnfc/**", "link/a.lan", "comes after vnfc/a.w.0, which is held: because");
	expect(&lab, "link/**", "vnfc/a.w.0", NULL);
	lab_clear(&lab);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/held/chain", test_chain);
	g_test_add_func("/plan/held/hosted", test_hosted);
	g_test_add_func("/plan/held/removal", test_removal);
	return g_test_run();
}

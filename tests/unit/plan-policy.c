/* What policies of drift make of a plan. */
#include "planlab.h"

static struct lab lab;

#define CASE(name) \
	static void case_##name(void); \
	static void test_##name(void) \
	{ \
		lab_init(&lab); \
		case_##name(); \
		lab_clear(&lab); \
	} \
	static void case_##name(void)

static const char *const all[] = { "**" }, *const links[] = { "link/**" }, *const vnfcs[] = { "vnfc/**" }, *const mtus[] = { "mtu" };

#define RULE(rule_mode, which) \
	{ .name = "p", .mode = rule_mode, .objects = which, .n_objects = 1, .fields = all, .n_fields = 1, .origin = { "p.yaml", 7, 1 } }

static const struct drift_rule report_links[] = { RULE(DRIFT_REPORT, links) }, ignore_links[] = { RULE(DRIFT_IGNORE, links) },
			       report_vnfcs[] = { RULE(DRIFT_REPORT, vnfcs) }, ignore_vnfcs[] = { RULE(DRIFT_IGNORE, vnfcs) },
			       report_but_mtus[] = {
				       RULE(DRIFT_REPORT, all),
				       { .name = "q", .mode = DRIFT_ENFORCE, .objects = all, .n_objects = 1, .fields = mtus, .n_fields = 1 },
			       },
			       report_but_not_mtus[] = {
				       RULE(DRIFT_REPORT, all),
				       { .name = "q", .mode = DRIFT_IGNORE, .objects = all, .n_objects = 1, .fields = mtus, .n_fields = 1 },
			       };

#define USE(rules) (lab.drift = (rules), lab.n_drift = G_N_ELEMENTS(rules))

static void drifted(const char *observed)
{
	lab_desired(&lab, "link/a.lan", "mtu=1500 state=up", NULL);
	lab_last(&lab, "link/a.lan", 1, "mtu=1500 state=up");
	lab_observed(&lab, "link/a.lan", 1, observed);
}

CASE(report)
{
	drifted("mtu=1400 state=up");
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 1);
	g_assert_cmpuint(plan->n_held, ==, 1);
	g_assert_cmpstr(plan->steps[0].held, ==, "drift is only reported (policy p, p.yaml:7)");
	USE(report_vnfcs);
	auto_ptr(plan) other = lab_plan(&lab);
	g_assert_cmpuint(other->n_held, ==, 0);
	g_assert_cmpuint(other->n_steps, ==, 1);
}

CASE(ignore)
{
	drifted("mtu=1400 state=up");
	USE(ignore_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps + plan->n_open, ==, 0);
}

/* A step that is not all drift, or not all of it only to be reported, is done as a whole. */
CASE(whole)
{
	drifted("mtu=1400 state=down");
	USE(report_but_mtus);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 1);
	g_assert_null(plan->steps[0].held);
	g_assert_cmpuint(plan->steps[0].n_changes, ==, 2);
	/* What is ignored is not told beside what is reported. */
	USE(report_but_not_mtus);
	auto_ptr(plan) less = lab_plan(&lab);
	g_assert_nonnull(less->steps[0].held);
	g_assert_cmpuint(less->steps[0].n_changes, ==, 1);
	g_assert_cmpstr(less->steps[0].changes[0].path, ==, "state");
}

CASE(intent)
{
	lab_desired(&lab, "link/a.lan", "mtu=9000 state=up", NULL);
	lab_last(&lab, "link/a.lan", 1, "mtu=1500 state=up");
	lab_observed(&lab, "link/a.lan", 1, "mtu=1500 state=down");
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 1);
	g_assert_cmpuint(plan->n_held, ==, 0);
}

/* Gone: the object as a whole; what needs it waits. */
CASE(gone)
{
	lab_desired(&lab, "link/a.lan", "mtu=1500", NULL);
	lab_last(&lab, "link/a.lan", 1, "mtu=1500");
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.lan", "link/a.lan");
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 2);
	g_assert_cmpuint(plan->n_held, ==, 2);
	g_assert_cmpstr(plan->steps[1].held, ==, "comes after link/a.lan, which is held: drift is only reported (policy p, p.yaml:7)");
}

/* There, though not as it should be: what needs it need not wait. */
CASE(stands)
{
	drifted("mtu=1400 state=up");
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.lan", "link/a.lan");
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 2);
	g_assert_cmpuint(plan->n_held, ==, 1);
	const struct step *step = plan_step(plan, "vnfc/a.w.0");
	g_assert_null(step->held);
	g_assert_cmpuint(step->n_after, ==, 0);
}

static const char *hold_link(const char *key, struct arena *arena, void *data)
{
	return g_str_has_prefix(key, "link/") ? "suspended" : NULL;
}

/* What the operator holds holds all that comes after it, whatever a policy says. */
CASE(suspended)
{
	drifted("mtu=1400 state=up");
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.lan", "link/a.lan");
	lab.held = hold_link;
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_held, ==, 2);
	g_assert_cmpstr(plan_step(plan, "link/a.lan")->held, ==, "suspended");
}

/* Unless it is for a value of it. */
CASE(value)
{
	lab_desired(&lab, "link/a.lan", "mtu=1500 gateway=10.0.0.1", NULL);
	lab_last(&lab, "link/a.lan", 1, "mtu=1500 gateway=10.0.0.1");
	lab_observed(&lab, "link/a.lan", 1, "mtu=1500 gateway=10.0.0.9");
	lab_desired(&lab, "vnfc/a.w.0", "state=running hostname=@link/a.lan:gateway", NULL);
	USE(report_links);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 2);
	g_assert_cmpuint(plan->n_held, ==, 2);
}

static void died(void)
{
	lab_desired(&lab, "vnfc/a.w.0", "state=running vcpus=1", NULL);
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running vcpus=1");
	lab_observed(&lab, "vnfc/a.w.0", 1, "state=failed");
	lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
	lab_last(&lab, "nf/a.w.0", 1, "state=started");
}

CASE(dead_host)
{
	died();
	USE(report_vnfcs);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 2);
	g_assert_cmpuint(plan->n_held, ==, 2);
	USE(ignore_vnfcs);
	auto_ptr(plan) ignored = lab_plan(&lab);
	g_assert_cmpuint(ignored->n_steps + ignored->n_unplanned, ==, 0);
}

/* A host that would be restarted, and will not be, goes on hosting. */
CASE(living_host)
{
	lab_desired(&lab, "vnfc/a.w.0", "state=running vcpus=1 hostname=one", NULL);
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running vcpus=1 hostname=one");
	lab_observed(&lab, "vnfc/a.w.0", 1, "state=running vcpus=1 hostname=two");
	lab_desired(&lab, "nf/a.w.0", "state=started config.c.content=new", "vnfc/a.w.0");
	lab_last(&lab, "nf/a.w.0", 1, "state=started config.c.content=old");
	lab_observed(&lab, "nf/a.w.0", 1, "state=started config.c.content=old");
	auto_ptr(plan) enforced = lab_plan(&lab);
	g_assert_cmpint(plan_step(enforced, "vnfc/a.w.0")->action, ==, ACTION_RESTART);
	g_assert_cmpint(plan_step(enforced, "nf/a.w.0")->action, ==, ACTION_CREATE);
	USE(report_vnfcs);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_nonnull(plan_step(plan, "vnfc/a.w.0")->held);
	g_assert_cmpint(plan_step(plan, "nf/a.w.0")->action, ==, ACTION_CHANGE);
	g_assert_null(plan_step(plan, "nf/a.w.0")->held);
	g_assert_cmpuint(plan_step(plan, "nf/a.w.0")->incarnation, ==, 1);
}

/* What the former plan found nothing to do about it found under its policies. */
CASE(former)
{
	drifted("mtu=1400 state=up");
	USE(ignore_links);
	auto_ptr(plan) ignored = lab_plan(&lab);
	auto_ptr(plan) again = lab_plan_after(&lab, ignored);
	g_assert_cmpuint(again->n_steps, ==, 0);
	lab.n_drift = 0;
	auto_ptr(plan) enforced = lab_plan_after(&lab, again);
	g_assert_cmpuint(enforced->n_steps, ==, 1);
	g_assert_null(enforced->steps[0].held);
	USE(report_links);
	auto_ptr(plan) reported = lab_plan_after(&lab, enforced);
	g_assert_cmpuint(reported->n_held, ==, 1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "report", test_report }, { "ignore", test_ignore }, { "whole", test_whole }, { "intent", test_intent }, { "gone", test_gone },
		{ "stands", test_stands }, { "value", test_value }, { "suspended", test_suspended }, { "dead-host", test_dead_host }, { "living-host", test_living_host },
		{ "former", test_former },
	};
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/plan/policy/%s", cases[i].name);
		g_test_add_func(path, cases[i].run);
	}
	return g_test_run();
}

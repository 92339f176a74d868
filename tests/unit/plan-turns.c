/* Instances of one VDU take turns. */
#include "planlab.h"

static struct lab lab;

static void add(const char *kind, const char *path, const char *desired, const char *last, const char *observed)
{
	g_autofree char *key = g_strdup_printf("%s/%s", kind, path), *host = g_strdup_printf("vnfc/%s", path);
	lab_desired(&lab, key, desired, g_str_equal(kind, "nf") ? host : NULL);
	if (last)
		lab_last(&lab, key, 1, last);
	if (observed)
		lab_observed(&lab, key, 1, observed);
}

/* A VNFC as it should be, and in it an NF whose command is to be another. */
static void changed(const char *path)
{
	add("vnfc", path, "state=running", "state=running", "state=running");
	add("nf", path, "state=started command=[new]", "state=started command=[old]", "state=started command=[old]");
}

static void test_one_after_another(void)
{
	lab_init(&lab);
	changed("a.v.w.0");
	changed("a.v.w.1");
	changed("a.v.w.10");
	changed("a.v.w.2");
	changed("a.v.1.w.0"); /* of the next instance of the VNF */
	changed("a.v.x.0");   /* of another VDU */
	changed("a.u.w.0");   /* of another VNF */
	lab_expect(&lab, false,
		   "0 restart nf/a.u.w.0 #1 intent interrupts\n1 restart nf/a.v.w.0 #1 intent interrupts\n2 restart nf/a.v.w.1 #1 intent interrupts < 1\n"
		   "3 restart nf/a.v.w.2 #1 intent interrupts < 2\n4 restart nf/a.v.w.10 #1 intent interrupts < 3\n5 restart nf/a.v.1.w.0 #1 intent interrupts < 4\n"
		   "6 restart nf/a.v.x.0 #1 intent interrupts\n");
	lab_clear(&lab);
}

/* A service whose descriptor is a VNFD; the VNFC's step and its NF's are one turn. */
static void test_with_its_host(void)
{
	lab_init(&lab);
	for (int i = 0; i < 2; i++) {
		g_autofree char *path = g_strdup_printf("a.w.%d", i);
		add("vnfc", path, "state=running hostname=b", "state=running hostname=a", "state=running hostname=a");
		add("nf", path, "state=started", "state=started", "state=started");
	}
	lab_expect(&lab, false,
		   "0 restart vnfc/a.w.0 #1 intent interrupts\n1 create nf/a.w.0 #1 intent (its VNFC is restarted) < 0\n"
		   "2 restart vnfc/a.w.1 #1 intent interrupts < 0,1\n3 create nf/a.w.1 #1 intent (its VNFC is restarted) < 0,1,2\n");
	lab_clear(&lab);
}

/* What is down is mended first, all at once; those that serve wait for it. */
static void test_down_first(void)
{
	lab_init(&lab);
	changed("a.w.0");
	changed("a.w.1");
	add("vnfc", "a.w.2", "state=running", "state=running", "state=failed");
	add("nf", "a.w.2", "state=started command=[new]", "state=started command=[old]", NULL);
	add("vnfc", "a.w.3", "state=running", "state=running", NULL);
	add("nf", "a.w.3", "state=started command=[new]", "state=started command=[old]", NULL);
	auto_ptr(plan) plan = lab_plan(&lab);
	const struct step *first = plan_step(plan, "nf/a.w.0"), *second = plan_step(plan, "nf/a.w.1");
	g_assert_cmpuint(plan_step(plan, "vnfc/a.w.2")->n_after, ==, 0);
	g_assert_cmpuint(plan_step(plan, "vnfc/a.w.3")->n_after, ==, 0);
	g_assert_cmpuint(plan_step(plan, "nf/a.w.2")->n_after, ==, 1);
	g_assert_cmpuint(first->n_after, ==, 4);
	g_assert_cmpuint(second->n_after, ==, 1);
	g_assert_true(&plan->steps[second->after[0]] == first);
	lab_clear(&lab);
}

/* What is new, and what only carries another label, waits for nobody. */
static void test_no_turn(void)
{
	lab_init(&lab);
	changed("a.w.0");
	add("vnfc", "a.w.1", "state=running", NULL, NULL);
	add("nf", "a.w.1", "state=started", NULL, NULL);
	add("vnfc", "a.w.2", "state=running", "state=running", "state=running");
	add("nf", "a.w.2", "state=started stateful=1", "state=started stateful=0", "state=started stateful=0");
	lab_last(&lab, "vnfc/a.w.3", 1, "state=running");
	lab_observed(&lab, "vnfc/a.w.3", 1, "state=running");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 5);
	g_assert_cmpuint(plan_step(plan, "nf/a.w.0")->n_after, ==, 0);
	g_assert_cmpuint(plan_step(plan, "vnfc/a.w.1")->n_after, ==, 0);
	g_assert_cmpuint(plan_step(plan, "nf/a.w.1")->n_after, ==, 1);
	g_assert_cmpuint(plan_step(plan, "nf/a.w.2")->n_after, ==, 0);
	g_assert_cmpuint(plan_step(plan, "vnfc/a.w.3")->n_after, ==, 0);
	lab_clear(&lab);
}

/* The first instance has to come after the second: the turn yields, and nothing is said of it. */
static void test_yields(void)
{
	lab_init(&lab);
	changed("a.w.0");
	changed("a.w.1");
	lab.desired->pdata[1] = (gpointer) (uintptr_t) lab_object(&lab, "nf/a.w.0", 0, "state=started command=[new]",
								  "vnfc/a.w.0 nf/a.w.1");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_unplanned, ==, 0);
	const struct step *first = plan_step(plan, "nf/a.w.0");
	g_assert_cmpuint(plan_step(plan, "nf/a.w.1")->n_after, ==, 0);
	g_assert_cmpuint(first->n_after, ==, 1);
	g_assert_cmpstr(plan->steps[first->after[0]].key, ==, "nf/a.w.1");
	lab_clear(&lab);
}

/* Who reads the addresses of an instance that goes is told before it goes. */
static void test_readers_first(void)
{
	lab_init(&lab);
	lab_last(&lab, "vnfc/a.w.1", 1, "state=running");
	lab_observed(&lab, "vnfc/a.w.1", 1, "state=running");
	lab_settled(&lab, "vnfc/a.l.0", 1, "state=running", NULL);
	lab_desired(&lab, "nf/a.l.0", "state=started command=[one]", "vnfc/a.l.0");
	lab_add(lab.last, lab_object(&lab, "nf/a.l.0", 1, "state=started command=[two]", "vnfc/a.w.0 vnfc/a.w.1"));
	lab_observed(&lab, "nf/a.l.0", 1, "state=started command=[two]");
	lab_expect(&lab, false, "0 restart nf/a.l.0 #1 intent interrupts\n1 remove vnfc/a.w.1 #1 intent < 0\n");
	lab_clear(&lab);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/turns/one-after-another", test_one_after_another);
	g_test_add_func("/plan/turns/with-its-host", test_with_its_host);
	g_test_add_func("/plan/turns/down-first", test_down_first);
	g_test_add_func("/plan/turns/no-turn", test_no_turn);
	g_test_add_func("/plan/turns/yields", test_yields);
	g_test_add_func("/plan/turns/readers-first", test_readers_first);
	return g_test_run();
}

/* Several objects: what comes after what, hosts, leftovers, pending values, and what is left alone. */
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

/* A VNFC on a link with an NF in it, as it should be. */
static void settled_web(void)
{
	lab_settled(&lab, "link/a.lan", 1, "mtu=1500 state=up", NULL);
	lab_settled(&lab, "vnfc/a.w.0", 2, "state=running vcpus=1 cp.p.link=link/a.lan", "link/a.lan");
	lab_settled(&lab, "nf/a.w.0", 2, "state=started command=[x] config.c.content=text config.c.path=/c", "vnfc/a.w.0");
}

CASE(settled)
{
	settled_web();
	lab_expect(&lab, true, "");
}

CASE(create)
{
	lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.lan", "link/a.lan link/a.wan");
	lab_desired(&lab, "vnfc/b.w.0", "state=running", NULL);
	lab_desired(&lab, "link/a.lan", "mtu=1500", NULL);
	lab_desired(&lab, "link/a.wan", "mtu=1500", NULL);
	lab_expect(&lab, false,
		   "0 create link/a.lan #1 intent\n1 create link/a.wan #1 intent\n2 create vnfc/a.w.0 #1 intent < 0,1\n"
		   "3 create vnfc/b.w.0 #1 intent\n4 create nf/a.w.0 #1 intent < 2\n");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->creates, ==, 5);
	g_assert_true(plan_step(plan, "vnfc/b.w.0") == &plan->steps[3]);
	g_assert_null(plan_step(plan, "vnfc/c"));
	g_assert_null(plan->steps[2].observed);
	g_assert_cmpstr(plan->revision, ==, "r1");
}

/* A balancer that read the addresses of two servers, one of which goes: it is told before anything there is stopped. */
CASE(reader_first)
{
	lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
	lab_settled(&lab, "vnfc/b.w.0", 1, "state=running", NULL);
	lab_last(&lab, "vnfc/b.w.1", 1, "state=running");
	lab_observed(&lab, "vnfc/b.w.1", 1, "state=running");
	lab_last(&lab, "nf/b.w.1", 1, "state=started");
	lab_observed(&lab, "nf/b.w.1", 1, "state=started");
	lab_desired(&lab, "nf/a.w.0", "state=started config.c.content=one", "vnfc/a.w.0 vnfc/b.w.0");
	lab_add(lab.last, lab_object(&lab, "nf/a.w.0", 1, "state=started config.c.content=both", "vnfc/a.w.0 vnfc/b.w.0 vnfc/b.w.1"));
	lab_observed(&lab, "nf/a.w.0", 1, "state=started config.c.content=both");
	lab_expect(&lab, false,
		   "0 change nf/a.w.0 #1 intent\n1 remove nf/b.w.1 #1 intent < 0\n2 remove vnfc/b.w.1 #1 intent < 0,1\n");
}

/* … but where what it is to read instead takes over the address of what goes, that goes first. */
CASE(reader_yields)
{
	lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
	lab_last(&lab, "vnfc/b.w.0", 1, "state=running cp.p.link=link/a.lan cp.p.addresses=[10.0.0.2]");
	lab_observed(&lab, "vnfc/b.w.0", 1, "state=running cp.p.link=link/a.lan cp.p.addresses=[10.0.0.2]");
	lab_settled(&lab, "link/a.lan", 1, "mtu=1500", NULL);
	lab_desired(&lab, "vnfc/c.w.0", "state=running cp.p.link=link/a.lan cp.p.addresses=[10.0.0.2]", "link/a.lan");
	lab_desired(&lab, "nf/a.w.0", "state=started config.c.content=c", "vnfc/a.w.0 vnfc/c.w.0");
	lab_add(lab.last, lab_object(&lab, "nf/a.w.0", 1, "state=started config.c.content=b", "vnfc/a.w.0 vnfc/b.w.0"));
	lab_observed(&lab, "nf/a.w.0", 1, "state=started config.c.content=b");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 3);
	g_assert_cmpstr(plan->steps[0].key, ==, "vnfc/b.w.0");
	g_assert_cmpstr(plan->steps[1].key, ==, "vnfc/c.w.0");
	g_assert_cmpstr(plan->steps[2].key, ==, "nf/a.w.0");
	g_assert_cmpuint(plan->n_unplanned, ==, 0);
}

/* Nothing of it is desired any more: the other way round. */
CASE(remove)
{
	settled_web();
	g_ptr_array_set_size(lab.desired, 0);
	lab_expect(&lab, false,
		   "0 remove nf/a.w.0 #2 intent\n1 remove vnfc/a.w.0 #2 intent < 0\n2 remove link/a.lan #1 intent < 1\n");
	/* Without a database too: the network itself says what was on the link. */
	g_ptr_array_set_size(lab.last, 0);
	lab_expect(&lab, false,
		   "0 remove nf/a.w.0 #2 unattributed\n1 remove vnfc/a.w.0 #2 unattributed < 0\n"
		   "2 remove link/a.lan #1 unattributed < 1\n");
}

/* The VNFC goes over to another link before the old one is removed. */
CASE(unplug)
{
	lab_desired(&lab, "link/a.new", "mtu=1500", NULL);
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.link=link/a.new", "link/a.new");
	lab_last(&lab, "link/a.lan", 1, "mtu=1500");
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running cp.p.link=link/a.lan");
	lab_observed(&lab, "link/a.lan", 1, "mtu=1500");
	lab_observed(&lab, "vnfc/a.w.0", 1, "state=running cp.p.link=link/a.lan");
	lab_expect(&lab, false,
		   "0 create link/a.new #1 intent (looks like a rename of link/a.lan)\n1 change vnfc/a.w.0 #1 intent < 0\n"
		   "2 remove link/a.lan #1 intent (looks like a rename to link/a.new) < 1\n");
}

/* --- hosts --------------------------------------------------------------------------------------------------------------- */

CASE(host_died)
{
	settled_web();
	lab.observed->pdata[1] = (gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 2,
			"state=stopped vcpus=1 cp.p.link=link/a.lan", NULL);
	lab_expect(&lab, false, "0 replace vnfc/a.w.0 #3 drift interrupts\n"
			"1 create nf/a.w.0 #3 drift (its VNFC is replaced) < 0\n");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_null(plan->steps[1].observed);
	g_assert_cmpuint(plan->replaces, ==, 1);
	g_assert_cmpuint(plan->creates, ==, 1);
}

CASE(host_gone)
{
	settled_web();
	g_ptr_array_set_size(lab.observed, 1);
	lab_expect(&lab, false, "0 create vnfc/a.w.0 #3 drift\n1 create nf/a.w.0 #3 drift (its VNFC is replaced) < 0\n");
}

/* Replaced beside: the old one goes when the new one and its NF stand. The NF has the cause of its host. */
CASE(host_beside)
{
	const struct cap_override dear[] = { { "vnfc", "vcpus", COST_REPLACE } };
	const struct caps beside = { "x", 1, dear, 1, true };
	settled_web();
	lab.caps = &beside;
	lab.desired->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 0, "state=running vcpus=2 cp.p.link=link/a.lan",
				"link/a.lan");
	lab_expect(&lab, false,
		   "0 replace vnfc/a.w.0 #3 intent\n1 create nf/a.w.0 #3 intent (its VNFC is replaced) < 0\n"
		   "2 clean vnfc/a.w.0 #2 intent (a former incarnation) < 0,1\n");
	auto_ptr(plan) plan = lab_plan(&lab);
	for (size_t i = 0; i < plan->steps[1].n_changes; i++)
		g_assert_cmpint(plan->steps[1].changes[i].cause, ==, CAUSE_INTENT);
	g_assert_cmpuint(plan->removes, ==, 1);
	g_assert_nonnull(plan->steps[2].observed);
	g_assert_null(plan->steps[2].desired);
}

CASE(host_restarted)
{
	settled_web();
	lab.desired->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 0, "state=running hostname=h vcpus=1 cp.p.link=link/a.lan",
				NULL);
	lab_expect(&lab, false,
		   "0 restart vnfc/a.w.0 #2 intent interrupts\n1 create nf/a.w.0 #2 intent (its VNFC is restarted) < 0\n");
}

CASE(host_changed)
{
	settled_web();
	lab.desired->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 0, "state=running vcpus=2 cp.p.link=link/a.lan", NULL);
	lab.desired->pdata[2] = (gpointer) (uintptr_t) lab_object(&lab, "nf/a.w.0", 0, "state=started command=[y]", NULL);
	lab_expect(&lab, false, "0 change vnfc/a.w.0 #2 intent\n1 restart nf/a.w.0 #2 intent interrupts < 0\n");
}

/* Its VNFC ended, and neither is desired: only the VNFC has to be removed. */
CASE(host_died_undesired)
{
	lab_observed(&lab, "vnfc/a.w.0", 2, "state=stopped");
	lab_observed(&lab, "nf/a.w.0", 2, "state=failed");
	lab_expect(&lab, false, "0 remove vnfc/a.w.0 #2 unattributed\n");
}

/* An agent that does not answer must not keep its VNFC alive. */
CASE(host_undesired_nf_unseen)
{
	lab_observed(&lab, "vnfc/a.w.0", 2, "state=running");
	lab_observed(&lab, "nf/a.w.0", 2, "state=?");
	lab_expect(&lab, false, "0 remove vnfc/a.w.0 #2 unattributed\n");
}

CASE(nf_undesired)
{
	settled_web();
	g_ptr_array_remove_index(lab.desired, 2);
	lab_expect(&lab, false, "0 remove nf/a.w.0 #2 intent\n");
}

CASE(nf_without_host)
{
	lab_desired(&lab, "nf/a.w.0", "state=started", NULL);
	lab_expect(&lab, false, "- nf/a.w.0: there is no vnfc/a.w.0 that it could be in\n");
}

/* --- leftovers ----------------------------------------------------------------------------------------------------------- */

CASE(leftovers)
{
	settled_web();
	lab_leftover(&lab, "vnfc/z.w.0", 4);
	lab_leftover(&lab, "vnfc/a.w.0", 1);
	lab_leftover(&lab, "vnfc/a.w.0", 1);
	lab_expect(&lab, false,
		   "0 clean vnfc/a.w.0 #1 unattributed (a former incarnation)\n"
		   "1 clean vnfc/z.w.0 #4 unattributed (a former incarnation)\n");
	/* A replacement that was interrupted half-way: the NF first, then the old one goes. */
	g_ptr_array_remove_index(lab.observed, 2);
	lab_expect(&lab, false,
		   "0 create nf/a.w.0 #2 drift\n1 clean vnfc/a.w.0 #1 unattributed (a former incarnation) < 0\n"
		   "2 clean vnfc/z.w.0 #4 unattributed (a former incarnation)\n");
}

/* The next incarnation is higher than any that is there. */
CASE(leftover_is_newer)
{
	settled_web();
	lab.observed->pdata[1] = (gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 2,
			"state=failed vcpus=1 cp.p.link=link/a.lan", NULL);
	lab_leftover(&lab, "vnfc/a.w.0", 7);
	lab_expect(&lab, false,
		   "0 replace vnfc/a.w.0 #8 drift interrupts\n1 create nf/a.w.0 #8 drift (its VNFC is replaced) < 0\n"
		   "2 clean vnfc/a.w.0 #7 drift (a former incarnation) < 0,1\n");
}

/* The link of an instance that goes is removed after all its incarnations. */
CASE(leftover_on_link)
{
	lab_observed(&lab, "link/a.lan", 1, "mtu=1500");
	lab_observed(&lab, "vnfc/a.w.0", 2, "state=running cp.p.link=link/a.lan");
	lab_leftover(&lab, "vnfc/a.w.0", 1);
	lab_expect(&lab, false,
		   "0 clean vnfc/a.w.0 #1 unattributed (a former incarnation)\n1 remove vnfc/a.w.0 #2 unattributed\n"
		   "2 remove link/a.lan #1 unattributed < 0,1\n");
}

/* --- pending values ------------------------------------------------------------------------------------------------------ */

CASE(pending_new)
{
	lab_desired(&lab, "vnfc/a.lb.0", "state=running", NULL);
	lab_desired(&lab, "vnfc/a.w.0", "state=running cp.p.mtu=1500", NULL);
	lab_desired(&lab, "nf/a.lb.0", "state=started config.c.content=@vnfc/a.w.0:cp.p.addresses:0", "vnfc/a.lb.0");
	lab_expect(&lab, true,
		   "0 create vnfc/a.lb.0 #1 intent\n\tstate: none -> running (was none) intent replace\n"
		   "1 create vnfc/a.w.0 #1 intent\n\tcp.p.mtu: none -> 1500 (was none) intent in-place\n"
		   "\tstate: none -> running (was none) intent replace\n"
		   "2 create nf/a.lb.0 #1 intent < 0,1\n"
		   "\tconfig.c.content: none -> known after vnfc/a.w.0 (was none) intent in-place\n"
		   "\tstate: none -> started (was none) intent in-place\n");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpstr(plan->steps[2].changes[0].waits_for, ==, "vnfc/a.w.0");
	g_assert_null(plan->steps[2].changes[1].waits_for);
}

static void balanced(const char *web_desired, const char *web_observed, const char *rendered)
{
	lab_settled(&lab, "vnfc/a.lb.0", 1, "state=running", NULL);
	lab_desired(&lab, "vnfc/a.w.0", web_desired, NULL);
	lab_last(&lab, "vnfc/a.w.0", 1, "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]");
	lab_observed(&lab, "vnfc/a.w.0", 1, web_observed);
	lab_desired(&lab, "nf/a.lb.0", "config.c.content=@vnfc/a.w.0:cp.p.addresses:0", "vnfc/a.lb.0");
	g_autofree char *fields = g_strdup_printf("config.c.content=%s", rendered);
	lab_last(&lab, "nf/a.lb.0", 1, fields);
	lab_observed(&lab, "nf/a.lb.0", 1, fields);
}

/* Known from what is observed: no waiting, no change. */
CASE(pending_known)
{
	balanced("state=running cp.p.mtu=1500", "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]", "10.0.0.5");
	lab_expect(&lab, true, "");
}

CASE(pending_differs)
{
	balanced("state=running cp.p.mtu=1500", "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]", "10.0.0.4");
	lab_expect(&lab, true,
		   "0 change nf/a.lb.0 #1 intent\n"
		   "\tconfig.c.content: 10.0.0.4 -> 10.0.0.5 (was 10.0.0.4) intent in-place\n");
}

/* The other object is changed in something else: no matter. */
CASE(pending_other_field)
{
	balanced("state=running cp.p.mtu=1400", "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]", "10.0.0.5");
	lab_expect(&lab, false, "0 change vnfc/a.w.0 #1 intent\n");
}

/* Just that field is changed, or the object replaced: what was seen is worth nothing. */
CASE(pending_same_field)
{
	balanced("state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.9]", "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]",
			"10.0.0.5");
	lab_expect(&lab, false, "0 change vnfc/a.w.0 #1 intent\n1 change nf/a.lb.0 #1 intent < 0\n");
}

CASE(pending_replaced)
{
	balanced("state=running cp.p.mtu=1500", "state=failed cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]", "10.0.0.5");
	lab_expect(&lab, false, "0 replace vnfc/a.w.0 #2 drift interrupts\n1 change nf/a.lb.0 #1 intent < 0\n");
}

CASE(pending_never)
{
	lab_settled(&lab, "vnfc/a.lb.0", 1, "state=running", NULL);
	lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
	lab_desired(&lab, "nf/a.lb.0", "config.c.content=@vnfc/a.w.0:cp.p.addresses:0 command=[x]", NULL);
	lab_expect(&lab, false, "- nf/a.lb.0 config.c.content: waits for vnfc/a.w.0, which has no such value\n");
	g_ptr_array_remove_index(lab.desired, 1);
	g_ptr_array_remove_index(lab.observed, 1);
	lab_expect(&lab, false, "- nf/a.lb.0 config.c.content: waits for vnfc/a.w.0, which is not desired\n");
	lab_observed(&lab, "nf/a.lb.0", 1, "command=[y]");
	lab_expect(&lab, false,
		   "- nf/a.lb.0 command: differs, but another field of it cannot be planned\n"
		   "- nf/a.lb.0 config.c.content: waits for vnfc/a.w.0, which is not desired\n");
}

CASE(pending_fault)
{
	balanced("state=running cp.p.mtu=1500", "state=running cp.p.mtu=1500 cp.p.addresses=[10.0.0.5]", "10.0.0.5");
	lab.desired->pdata[2] =
		(gpointer) (uintptr_t) lab_object(&lab, "nf/a.lb.0", 0, "config.c.content=@vnfc/a.w.0:cp.p.addresses:7", NULL);
	lab_expect(&lab, false,
		   "- nf/a.lb.0 config.c.content: get_attribute(vnfc/a.w.0, cp.p.addresses, 7): index 7: "
		   "the list has 1 item, counted from 0\n");
}

/* --- circles, dependencies that are not there ------------------------------------------------------------------------------ */

CASE(circle)
{
	lab_desired(&lab, "vnfc/a.x", "state=running", "vnfc/a.y");
	lab_desired(&lab, "vnfc/a.y", "state=running", "vnfc/a.z");
	lab_desired(&lab, "vnfc/a.z", "state=running", "vnfc/a.x");
	lab_desired(&lab, "vnfc/a.a", "state=running", "vnfc/a.y");
	lab_expect(&lab, false,
		   "0 create vnfc/a.x #1 intent\n1 create vnfc/a.z #1 intent < 0\n2 create vnfc/a.y #1 intent < 1\n"
		   "3 create vnfc/a.a #1 intent < 2\n"
		   "- vnfc/a.x: its order is not kept: it comes after vnfc/a.y, and that after it (a circle of 3)\n");
}

/* Values that wait for one another can never be had. */
CASE(circle_of_values)
{
	lab_desired(&lab, "vnfc/a.x", "state=running hostname=@vnfc/a.y:hostname", NULL);
	lab_desired(&lab, "vnfc/a.y", "state=running hostname=@vnfc/a.x:hostname", NULL);
	lab_desired(&lab, "vnfc/a.z", "state=running hostname=@vnfc/a.z:cp.p.addresses:0", NULL);
	lab_expect(&lab, false,
		   "- vnfc/a.x hostname: waits for vnfc/a.y, on which nothing is planned\n"
		   "- vnfc/a.y hostname: waits for vnfc/a.x, which needs it in turn\n"
		   "- vnfc/a.z hostname: waits for vnfc/a.z, which needs it in turn\n");
}

CASE(missing_dependency)
{
	lab_desired(&lab, "vnfc/a.w.0", "state=running", "link/a.lan");
	lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
	lab_expect(&lab, false,
		   "- nf/a.w.0: vnfc/a.w.0 is not running, and nothing is planned on that\n"
		   "- vnfc/a.w.0: needs link/a.lan, which is not there and is not planned\n");
}

/* --- what is left alone -------------------------------------------------------------------------------------------------- */

CASE(faulty_service)
{
	settled_web();
	g_ptr_array_set_size(lab.desired, 0);
	lab_observed(&lab, "vnfc/ab.w.0", 1, "state=running");
	lab_leftover(&lab, "vnfc/a.w.0", 1);
	g_ptr_array_add(lab.faulty, (gpointer) (uintptr_t) "a.");
	lab_expect(&lab, false,
		   "0 remove vnfc/ab.w.0 #1 unattributed\n"
		   "- link/a.lan: a descriptor of its service is faulty: it is left as it is\n"
		   "- nf/a.w.0: a descriptor of its service is faulty: it is left as it is\n"
		   "- vnfc/a.w.0: a descriptor of its service is faulty: it is left as it is\n");
}

/* A file that cannot be read may have asked for anything: what is asked for elsewhere goes on, nothing is taken away. */
CASE(faulty_file)
{
	settled_web();
	lab_desired(&lab, "vnfc/b.w.0", "state=running", NULL);
	lab_observed(&lab, "vnfc/ab.w.0", 1, "state=running");
	g_ptr_array_add(lab.faulty, (gpointer) (uintptr_t) "");
	lab_expect(&lab, false,
		   "0 create vnfc/b.w.0 #1 intent\n"
		   "- vnfc/ab.w.0: a descriptor of its service is faulty: it is left as it is\n");
}

CASE(blind_site)
{
	settled_web();
	lab.site = "berlin";
	lab_desired(&lab, "vnfc/b.w.0", "state=running", NULL);
	lab_last(&lab, "vnfc/c.w.0", 1, "state=running");
	lab_observed(&lab, "vnfc/c.w.0", 1, "state=?");
	lab_leftover(&lab, "vnfc/d.w.0", 1);
	g_ptr_array_add(lab.blind, (gpointer) (uintptr_t) "berlin");
	lab_expect(&lab, false,
		   "- vnfc/b.w.0: unknown: site berlin cannot be looked at: connection refused\n"
		   "- vnfc/c.w.0: unknown: site berlin cannot be looked at: connection refused\n");
}

/* What waits for an object on a blind site is not planned either, and neither is what moved away from there. */
CASE(blind_elsewhere)
{
	lab.site = "berlin";
	lab_settled(&lab, "vnfc/b.w.0", 1, "state=running", NULL);
	lab_last(&lab, "vnfc/m.w.0", 1, "state=running");
	lab.site = "s";
	lab_desired(&lab, "vnfc/m.w.0", "state=running", NULL);
	lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
	lab_desired(&lab, "nf/a.w.0", "config.c.content=@vnfc/b.w.0:cp.p.addresses:0", NULL);
	g_ptr_array_add(lab.blind, (gpointer) (uintptr_t) "berlin");
	lab_expect(&lab, false,
		   "- nf/a.w.0 config.c.content: waits for vnfc/b.w.0, on which nothing is planned\n"
		   "- vnfc/b.w.0: unknown: site berlin cannot be looked at: connection refused\n"
		   "- vnfc/m.w.0: unknown: site berlin cannot be looked at: connection refused\n");
}

/* --- moves and renames --------------------------------------------------------------------------------------------------- */

CASE(moved)
{
	settled_web();
	lab.site = "berlin";
	lab.desired->pdata[0] = (gpointer) (uintptr_t) lab_object(&lab, "link/a.lan", 0, "mtu=1500 state=up", NULL);
	lab.desired->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 0, "state=running vcpus=1 cp.p.link=link/a.lan",
				"link/a.lan");
	lab.desired->pdata[2] = (gpointer) (uintptr_t) lab_object(&lab, "nf/a.w.0", 0, "state=started", "vnfc/a.w.0");
	lab_expect(&lab, false,
		   "0 replace link/a.lan #2 intent on berlin (moves from site s)\n"
		   "1 replace vnfc/a.w.0 #3 intent on berlin (moves from site s) < 0\n"
		   "2 create nf/a.w.0 #3 intent on berlin (its VNFC is replaced) < 1\n"
		   "3 clean vnfc/a.w.0 #2 intent (a former incarnation) < 1,2\n"
		   "4 clean link/a.lan #1 intent (a former incarnation) < 0,3\n");
}

/* A fixed address goes over to another VNFC: not before the one that has it is gone. On another link it is another address. */
CASE(address_taken_over)
{
	lab_desired(&lab, "vnfc/a.new.0", "state=running cp.p.link=link/a.lan cp.p.addresses=[10.0.0.5,10.0.0.6]", NULL);
	lab_desired(&lab, "vnfc/a.other.0", "state=running cp.p.link=link/a.wan cp.p.addresses=[10.0.0.5]", NULL);
	lab_desired(&lab, "vnfc/a.same.0", "state=running cp.q.link=link/a.wan cp.q.mac_address=02:00:00:00:00:01", NULL);
	lab_observed(&lab, "vnfc/a.x.0", 1, "state=running cp.p.link=link/a.lan cp.p.addresses=[10.0.0.6]");
	lab_observed(&lab, "vnfc/a.y.0", 1, "state=running cp.p.link=link/a.wan cp.p.mac_address=02:00:00:00:00:01");
	lab_expect(&lab, false,
		   "0 create vnfc/a.other.0 #1 intent\n1 remove vnfc/a.x.0 #1 unattributed\n2 create vnfc/a.new.0 #1 intent < 1\n"
		   "3 remove vnfc/a.y.0 #1 unattributed\n4 create vnfc/a.same.0 #1 intent < 3\n");
}

CASE(renamed)
{
	lab_desired(&lab, "vnfc/a.new.0", "state=running vcpus=1 hostname=new cp.p.link=link/a.lan", NULL);
	lab_last(&lab, "vnfc/a.old.0", 1, "state=running vcpus=1 hostname=old cp.p.link=link/a.lan cp.p.addresses=[10.0.0.5]");
	lab_observed(&lab, "vnfc/a.old.0", 1,
			"state=running vcpus=1 hostname=old cp.p.link=link/a.lan cp.p.addresses=[10.0.0.5]");
	lab_expect(&lab, false,
		   "0 create vnfc/a.new.0 #1 intent (looks like a rename of vnfc/a.old.0)\n"
		   "1 remove vnfc/a.old.0 #1 intent (looks like a rename to vnfc/a.new.0)\n");
	/* Another size, or two candidates: no such guess. */
	lab_desired(&lab, "vnfc/a.more.0", "state=running vcpus=1 hostname=new cp.p.link=link/a.lan", NULL);
	lab_expect(&lab, false, "0 create vnfc/a.more.0 #1 intent\n1 create vnfc/a.new.0 #1 intent\n"
			"2 remove vnfc/a.old.0 #1 intent\n");
	g_ptr_array_remove_index(lab.desired, 0);
	lab.desired->pdata[0] = (gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.more.0", 0, "state=running vcpus=2", NULL);
	lab_expect(&lab, false, "0 create vnfc/a.more.0 #1 intent\n1 remove vnfc/a.old.0 #1 intent\n");
}

/* --- fingerprints -------------------------------------------------------------------------------------------------------- */

CASE(fingerprint)
{
	settled_web();
	auto_ptr(plan) first = lab_plan(&lab);
	lab.observed->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 2,
				"state=running vcpus=1 cp.p.link=link/a.lan pid=9 exit=x", NULL);
	auto_ptr(plan) other_pid = lab_plan(&lab);
	g_assert_cmpstr(lab_fingerprint(&lab, first), ==, lab_fingerprint(&lab, other_pid));
	lab.observed->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 2, "state=running vcpus=2 cp.p.link=link/a.lan", NULL);
	auto_ptr(plan) other_vcpus = lab_plan(&lab);
	g_assert_cmpstr(lab_fingerprint(&lab, first), !=, lab_fingerprint(&lab, other_vcpus));
	/* It differs from what is desired in either case, and yet differently. */
	lab.observed->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 2, "state=running vcpus=3 cp.p.link=link/a.lan", NULL);
	auto_ptr(plan) third_vcpus = lab_plan(&lab);
	g_assert_cmpstr(lab_fingerprint(&lab, third_vcpus), !=, lab_fingerprint(&lab, other_vcpus));
	/* The same state, an incarnation later. */
	lab.observed->pdata[1] =
		(gpointer) (uintptr_t) lab_object(&lab, "vnfc/a.w.0", 3, "state=running vcpus=3 cp.p.link=link/a.lan", NULL);
	auto_ptr(plan) later = lab_plan(&lab);
	g_assert_cmpstr(lab_fingerprint(&lab, third_vcpus), !=, lab_fingerprint(&lab, later));
	g_assert_cmpuint(strlen(lab_fingerprint(&lab, first)), ==, 64);
}

CASE(names)
{
	static const char *const actions[] = { "create", "change", "restart", "replace", "remove", "clean" };
	static const char *const causes[] = { "intent", "drift", "intent+drift", "unattributed" };
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
		g_assert_cmpstr(action_name((enum action) i), ==, actions[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(causes); i++)
		g_assert_cmpstr(cause_name((enum cause) i), ==, causes[i]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "reader-first", test_reader_first }, { "reader-yields", test_reader_yields },
		{ "settled", test_settled }, { "create", test_create }, { "remove", test_remove }, { "unplug", test_unplug },
		{ "host-died", test_host_died }, { "host-gone", test_host_gone }, { "host-beside", test_host_beside },
		{ "host-restarted", test_host_restarted }, { "host-changed", test_host_changed },
		{ "host-died-undesired", test_host_died_undesired }, { "host-undesired-nf-unseen",
				test_host_undesired_nf_unseen },
		{ "nf-undesired", test_nf_undesired }, { "nf-without-host", test_nf_without_host }, { "leftovers",
				test_leftovers },
		{ "leftover-is-newer", test_leftover_is_newer }, { "leftover-on-link", test_leftover_on_link },
		{ "pending-new", test_pending_new }, { "pending-known", test_pending_known }, { "pending-differs",
				test_pending_differs },
		{ "pending-other-field", test_pending_other_field }, { "pending-same-field", test_pending_same_field },
		{ "pending-replaced", test_pending_replaced }, { "pending-never", test_pending_never },
		{ "pending-fault", test_pending_fault }, { "circle", test_circle }, { "circle-of-values", test_circle_of_values },
		 { "missing-dependency", test_missing_dependency },
		{ "faulty-service", test_faulty_service }, { "faulty-file", test_faulty_file }, { "blind-site", test_blind_site }, { "blind-elsewhere",
				test_blind_elsewhere },
		{ "moved", test_moved }, { "address-taken-over", test_address_taken_over },
		{ "renamed", test_renamed }, { "fingerprint", test_fingerprint }, { "names",
				test_names },
	};
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/plan/order/%s", cases[i].name);
		g_test_add_func(path, cases[i].run);
	}
	return g_test_run();
}

/* One object, field by field: the three-way table of plan.h, costs, and what a driver makes of them. */
#include "planlab.h"

static void with_fields(const char *desired, const char *last, const char *observed, const char *expected)
{
	struct lab lab;
	lab_init(&lab);
	if (desired)
		lab_desired(&lab, "vnfc/a.w.0", desired, NULL);
	if (last)
		lab_last(&lab, "vnfc/a.w.0", 3, last);
	if (observed)
		lab_observed(&lab, "vnfc/a.w.0", 3, observed);
	lab_expect(&lab, true, expected);
	lab_clear(&lab);
}

static void test_table(void)
{
	/* D == O: nothing, whatever was applied. */
	with_fields("vcpus=2", "vcpus=2", "vcpus=2", "");
	with_fields("vcpus=2", "vcpus=1", "vcpus=2", "");
	with_fields("vcpus=2", NULL, "vcpus=2", "");
	/* By meaning, not by type. */
	with_fields("vcpus=2 pids=1", "vcpus=2 pids=1", "pids=1 vcpus=2", "");
}

static void test_unknown(void)
{
	with_fields("vcpus=2 pids=1", "vcpus=1 pids=1", "vcpus=? pids=1", "- vnfc/a.w.0 vcpus: unknown: it could not be seen\n");
	with_fields("vcpus=2 pids=1", "vcpus=1", "vcpus=? pids=?", "- vnfc/a.w.0: unknown: it could not be looked at\n");
	with_fields("vcpus=2 pids=1", "vcpus=2 pids=1", "vcpus=? pids=2",
		    "0 change vnfc/a.w.0 #3 drift\n\tpids: 2 -> 1 (was 1) drift in-place\n"
		    "- vnfc/a.w.0 vcpus: unknown: it could not be seen\n");
	/* Not asked for: nothing to say. */
	with_fields("pids=1", "pids=1", "vcpus=? pids=1", "");
}

/* An NF that could not be looked at: the EMS's words, one line of them, and not all that it can say. */
static void test_unseen(void)
{
	static const struct {
		const char *reason, *expected;
	} cases[] = {
		{ "", "- nf/a.w.0: unknown: it could not be looked at\n" },
		{ "refused", "- nf/a.w.0: unknown: it could not be looked at: refused\n" },
		{ "refused\nand\tmore", "- nf/a.w.0: unknown: it could not be looked at: refused\n" },
	};
	struct lab lab;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		lab_init(&lab);
		lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
		lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
		g_autofree char *fields = g_strdup_printf("state=? reason=%s", cases[i].reason);
		lab_observed(&lab, "nf/a.w.0", 1, fields);
		lab_expect(&lab, true, cases[i].expected);
		lab_clear(&lab);
	}
	lab_init(&lab);
	lab_settled(&lab, "vnfc/a.w.0", 1, "state=running", NULL);
	lab_desired(&lab, "nf/a.w.0", "state=started", "vnfc/a.w.0");
	g_autoptr(GString) fields = g_string_new("state=? reason=x"); /* an odd one, so that the bound falls into a character */
	for (int i = 0; i < 500; i++)
		g_string_append(fields, "é");
	lab_observed(&lab, "nf/a.w.0", 1, fields->str);
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_unplanned, ==, 1);
	g_assert_true(g_utf8_validate(plan->unplanned[0].reason, -1, NULL));
	g_assert_true(g_str_has_suffix(plan->unplanned[0].reason, "é…"));
	g_assert_cmpuint(strlen(plan->unplanned[0].reason), <, 260);
	lab_clear(&lab);
}

static void test_causes(void)
{
	with_fields("vcpus=2", "vcpus=1", "vcpus=1", "0 change vnfc/a.w.0 #3 intent\n\tvcpus: 1 -> 2 (was 1) intent in-place\n");
	with_fields("vcpus=2", "vcpus=2", "vcpus=1", "0 change vnfc/a.w.0 #3 drift\n\tvcpus: 1 -> 2 (was 2) drift in-place\n");
	with_fields("vcpus=2", "vcpus=3", "vcpus=1", "0 change vnfc/a.w.0 #3 intent+drift\n"
			"\tvcpus: 1 -> 2 (was 3) intent+drift in-place\n");
	with_fields("vcpus=2", NULL, "vcpus=1", "0 change vnfc/a.w.0 #3 unattributed\n"
			"\tvcpus: 1 -> 2 (was none) unattributed in-place\n");
	/* A record of the object, none of the field: absent is what was applied. */
	with_fields("vcpus=2 pids=1", "pids=1", "pids=1", "0 change vnfc/a.w.0 #3 intent\n"
			"\tvcpus: none -> 2 (was none) intent in-place\n");
	with_fields("vcpus=2 pids=1", "pids=1", "vcpus=1 pids=1",
		    "0 change vnfc/a.w.0 #3 intent+drift\n\tvcpus: 1 -> 2 (was none) intent+drift in-place\n");
	/* Taken away by the operator, or put there by somebody. */
	with_fields("pids=1", "vcpus=1 pids=1", "vcpus=1 pids=1",
			"0 change vnfc/a.w.0 #3 intent\n\tvcpus: 1 -> none (was 1) intent in-place\n");
	with_fields("pids=1", "pids=1", "vcpus=1 pids=1", "0 change vnfc/a.w.0 #3 drift\n"
			"\tvcpus: 1 -> none (was none) drift in-place\n");
	with_fields("pids=1", NULL, "vcpus=1 pids=1",
		    "0 change vnfc/a.w.0 #3 unattributed\n\tvcpus: 1 -> none (was none) unattributed in-place\n");
	/* The strongest of its fields is the step's. */
	with_fields("vcpus=2 pids=2", "vcpus=1 pids=2", "vcpus=1 pids=1",
		    "0 change vnfc/a.w.0 #3 intent\n\tpids: 1 -> 2 (was 2) drift in-place\n"
		    "\tvcpus: 1 -> 2 (was 1) intent in-place\n");
}

static void test_objects(void)
{
	with_fields("vcpus=2", NULL, NULL, "0 create vnfc/a.w.0 #1 intent\n\tvcpus: none -> 2 (was none) intent in-place\n");
	with_fields("vcpus=2", "vcpus=2", NULL, "0 create vnfc/a.w.0 #4 drift\n\tvcpus: none -> 2 (was 2) drift in-place\n");
	with_fields("vcpus=2", "vcpus=1", NULL, "0 create vnfc/a.w.0 #4 intent+drift\n"
			"\tvcpus: none -> 2 (was 1) intent+drift in-place\n");
	with_fields(NULL, "vcpus=2", "vcpus=2", "0 remove vnfc/a.w.0 #3 intent\n");
	with_fields(NULL, NULL, "vcpus=2", "0 remove vnfc/a.w.0 #3 unattributed\n");
	with_fields(NULL, "vcpus=2", NULL, "");
}

static void test_flags(void)
{
	/* Observed-only fields are never planned. */
	with_fields("vcpus=2", "vcpus=2", "vcpus=2 pid=77 exit=x cp.lan.port_name=eth0", "");
	/* A fixed address that is not there. */
	with_fields("cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "cp.lan.mtu=1",
		    "0 change vnfc/a.w.0 #3 drift\n\tcp.lan.addresses: none -> [10.0.0.5] (was [10.0.0.5]) drift in-place\n");
	/* Not fixed: without a record whatever is there is right, with one it is kept. */
	with_fields("cp.lan.mtu=1", NULL, "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "");
	with_fields("cp.lan.mtu=1", "cp.lan.mtu=1", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "");
	with_fields("cp.lan.mtu=1", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "");
	with_fields("cp.lan.mtu=1", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.9]",
		    "0 change vnfc/a.w.0 #3 drift\n"
		    "\tcp.lan.addresses: [10.0.0.9] -> [10.0.0.5] (was [10.0.0.5]) drift in-place\n");
	with_fields("cp.lan.mtu=1", "cp.lan.mtu=1 cp.lan.addresses=[10.0.0.5]", "cp.lan.mtu=1 cp.lan.addresses=?",
		    "- vnfc/a.w.0 cp.lan.addresses: unknown: it could not be seen\n");
	/* A whole element that nobody wants: what is not observed-only or allocated goes. */
	with_fields("vcpus=2", "vcpus=2 cp.old.mtu=1 cp.old.addresses=[10.0.0.5]",
		    "vcpus=2 cp.old.mtu=1 cp.old.addresses=[10.0.0.9] cp.old.port_name=eth1",
		    "0 change vnfc/a.w.0 #3 intent\n\tcp.old.mtu: 1 -> none (was 1) intent in-place\n");
	/* Digests are as good as the text. */
	with_fields("hostname=web", "hostname=web", "hostname=#web", "");
}

static void test_costs(void)
{
	with_fields("label.vdu=b", "label.vdu=a", "label.vdu=a",
			"0 change vnfc/a.w.0 #3 intent\n\tlabel.vdu: a -> b (was a) intent metadata\n");
	with_fields("hostname=b vcpus=2", "hostname=a vcpus=1", "hostname=a vcpus=1",
		    "0 restart vnfc/a.w.0 #3 intent interrupts\n\thostname: a -> b (was a) intent restart\n"
		    "\tvcpus: 1 -> 2 (was 1) intent in-place\n");
	with_fields("state=running vcpus=2", "state=running vcpus=2", "state=failed vcpus=2 exit=x",
		    "0 replace vnfc/a.w.0 #4 drift interrupts\n\tstate: failed -> running (was running) drift replace\n");
	with_fields("state=running", NULL, "state=stopped",
		    "0 replace vnfc/a.w.0 #4 unattributed interrupts\n"
		    "\tstate: stopped -> running (was none) unattributed replace\n");
}

static void replaced(const struct caps *caps, const char *extra, const char *expected)
{
	struct lab lab;
	lab_init(&lab);
	lab.caps = caps;
	g_autofree char *two = g_strdup_printf("state=running vcpus=2 %s",
			extra), *one = g_strdup_printf("state=running vcpus=1 %s", extra);
	lab_desired(&lab, "vnfc/a.w.0", two, NULL);
	lab_last(&lab, "vnfc/a.w.0", 3, one);
	lab_observed(&lab, "vnfc/a.w.0", 3, one);
	lab_expect(&lab, false, expected);
	lab_clear(&lab);
}

static void test_driver(void)
{
	const struct cap_override dear[] = { { "vnfc", "vcpus", COST_REPLACE } }, restart[] = { { "vnfc", "vcpus",
			COST_RESTART } };
	const struct caps plain = { "x", 1, dear, 1, false }, beside = { "x", 1, dear, 1, true }, again = { "x", 1, restart, 1,
			true };
	replaced(NULL, "", "0 change vnfc/a.w.0 #3 intent\n");
	replaced(&again, "", "0 restart vnfc/a.w.0 #3 intent interrupts\n");
	replaced(&plain, "", "0 replace vnfc/a.w.0 #4 intent interrupts\n");
	replaced(&beside, "", "0 replace vnfc/a.w.0 #4 intent\n1 clean vnfc/a.w.0 #3 intent (a former incarnation) < 0\n");
	replaced(&beside, "cp.lan.addresses=[10.0.0.5]", "0 replace vnfc/a.w.0 #4 intent interrupts\n");
	replaced(&beside, "cp.lan.mac_address=02:00:00:00:00:01", "0 replace vnfc/a.w.0 #4 intent interrupts\n");
}

static void test_origins(void)
{
	struct lab lab;
	lab_init(&lab);
	lab_desired(&lab, "vnfc/a.w.0", "pids=1 vcpus=2", NULL);
	lab_observed(&lab, "vnfc/a.w.0", 1, "vcpus=1 pids=1 mem_bytes=7");
	auto_ptr(plan) plan = lab_plan(&lab);
	g_assert_cmpuint(plan->n_steps, ==, 1);
	const struct field_change *changes = plan->steps[0].changes;
	g_assert_cmpstr(changes[0].path, ==, "mem_bytes");
	g_assert_cmpstr(changes[0].origin.file, ==, "o.yaml"); /* taken away: the object's */
	g_assert_cmpstr(changes[1].path, ==, "vcpus");
	g_assert_cmpstr(changes[1].origin.file, ==, "f.yaml");
	g_assert_cmpuint(changes[1].origin.line, ==, 2);
	lab_clear(&lab);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/fields/table", test_table);
	g_test_add_func("/plan/fields/unknown", test_unknown);
	g_test_add_func("/plan/fields/unseen", test_unseen);
	g_test_add_func("/plan/fields/causes", test_causes);
	g_test_add_func("/plan/fields/objects", test_objects);
	g_test_add_func("/plan/fields/flags", test_flags);
	g_test_add_func("/plan/fields/costs", test_costs);
	g_test_add_func("/plan/fields/driver", test_driver);
	g_test_add_func("/plan/fields/origins", test_origins);
	return g_test_run();
}

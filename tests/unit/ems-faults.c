/* What the fault monitor makes of what is ill: cure, wait, recover, give up; and what it never does. */
#include "ems_lab.h"

#define WEB "edge.web.vdu.0"

static struct lab_slot *ill(struct lab *lab, const char *path)
{
	struct lab_slot *slot = lab_add(lab, path);
	slot->health = "unhealthy";
	slot->reason = "connection refused";
	return slot;
}

/* One look: "nf/KEY FATE" of each fault; cures what may be cured. */
static char *look(struct lab *lab)
{
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *fault = &faults->items[i];
		g_string_append_printf(text, "%s%s %s", i ? ", " : "", fault->act, fault_fate_name(fault->fate));
		g_assert_cmpint(fault->held != NULL, ==, fault->fate != FAULT_RESTART && fault->fate != FAULT_RECOVER);
		g_assert_cmpstr(faults_held(faults, fault->key), ==, fault->held);
		if (!fault->held)
			lab_cured(lab, fault->path, fault->fate == FAULT_RECOVER ? CURE_RECOVER : CURE_RESTART, fault->wanted);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void expect(struct lab *lab, const char *wanted)
{
	g_autofree char *got = look(lab);
	g_assert_cmpstr(got, ==, wanted);
}

static void after_s(struct lab *lab, gint64 s)
{
	lab->now_us += s * G_USEC_PER_SEC;
}

static void test_well(void)
{
	struct lab *lab = lab_new();
	lab_add(lab, WEB)->health = "healthy";
	expect(lab, "");
	lab->slots[0].nf_state = "stopped"; /* by hand: drift, and no fault */
	expect(lab, "");
	lab->slots[0].nf_state = NULL;
	expect(lab, "");
	lab_free(lab);
}

static void test_escalates(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = ill(lab, WEB);
	slot->max_per_hour = 100;
	expect(lab, "nf/" WEB " restart");
	expect(lab, "nf/" WEB " waits");
	after_s(lab, 2);
	expect(lab, "nf/" WEB " restart");
	after_s(lab, 3);
	expect(lab, "nf/" WEB " waits");
	after_s(lab, 1);
	expect(lab, "vnfc/" WEB " recover");
	after_s(lab, 8);
	expect(lab, "nf/" WEB " restart");
	slot->health = "healthy";
	expect(lab, "");
	slot->health = "unhealthy";
	after_s(lab, 15);
	expect(lab, "nf/" WEB " waits"); /* it was well for a moment only */
	after_s(lab, FAULTS_WELL_S);
	expect(lab, "nf/" WEB " restart");
	lab_free(lab);
}

static void test_limit(void)
{
	struct lab *lab = lab_new();
	ill(lab, WEB)->max_per_hour = 3;
	for (int i = 0; i < 3; i++) {
		expect(lab, i < 2 ? "nf/" WEB " restart" : "vnfc/" WEB " recover");
		after_s(lab, 60);
	}
	expect(lab, "nf/" WEB " limit");
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	g_assert_nonnull(strstr(faults->items[0].held, "unhealthy: connection refused; cured 3 times within an hour"));
	g_assert_cmpint(faults_next_us(faults), ==, LAB_NOW + (gint64) FAULTS_HISTORY_S * G_USEC_PER_SEC);
	/* drift goes on being told */
	g_assert_cmpstr(object_string(objects_find(faults->observed->objects, "nf/" WEB), "state", ""), ==, "failed");
	after_s(lab, FAULTS_HISTORY_S - 180);
	expect(lab, "nf/" WEB " restart");
	lab_free(lab);
}

static void test_asked(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = ill(lab, WEB);
	slot->max_per_hour = 1;
	expect(lab, "nf/" WEB " restart");
	after_s(lab, 60);
	expect(lab, "nf/" WEB " limit");
	lab_cured(lab, "", CURE_ASKED, "");
	expect(lab, "nf/" WEB " restart");
	expect(lab, "nf/" WEB " limit");
	lab_free(lab);

	lab = lab_new();
	slot = ill(lab, WEB);
	slot->escalate_to = "report";
	expect(lab, "nf/" WEB " reported");
	lab_cured(lab, WEB, CURE_ASKED, "");
	expect(lab, "nf/" WEB " restart");
	after_s(lab, 60);
	expect(lab, "nf/" WEB " reported");
	lab_cured(lab, "edge.other.vdu.0", CURE_ASKED, "");
	expect(lab, "nf/" WEB " reported");
	lab_free(lab);
}

static void test_not_recovered(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = ill(lab, WEB);
	slot->max_per_hour = 100;
	slot->autoheal = "false";
	for (int i = 0; i < 5; i++) {
		expect(lab, "nf/" WEB " restart");
		after_s(lab, 100);
	}
	slot->vnfc_state = "failed";
	expect(lab, "vnfc/" WEB " reported");
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	g_assert_cmpstr(faults->items[0].held, ==, "it ended: signal 9 (Killed); its VNFD says is_autoheal_enabled: false");
	slot->autoheal = NULL;
	slot->escalate_to = "restart";
	expect(lab, "vnfc/" WEB " reported");
	slot->escalate_to = "recover";
	expect(lab, "vnfc/" WEB " recover");
	lab_free(lab);
}

static void test_gone(void)
{
	struct lab *lab = lab_new();
	lab_add(lab, WEB)->vnfc_state = NULL;
	expect(lab, "vnfc/" WEB " recover");
	expect(lab, "vnfc/" WEB " waits");
	lab_free(lab);
}

/* What a commit asks for anew is no fault, and begins anew. */
static void test_another_commit(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = ill(lab, WEB);
	slot->max_per_hour = 1;
	expect(lab, "nf/" WEB " restart");
	after_s(lab, 60);
	slot->applied_command = slot->command;
	slot->command = "haproxy";
	expect(lab, "");
	slot->applied_command = NULL;
	expect(lab, "nf/" WEB " restart");
	expect(lab, "nf/" WEB " limit");
	lab_free(lab);
}

static void test_one_at_a_time(void)
{
	struct lab *lab = lab_new();
	ill(lab, "edge.web.1.vdu.0");
	ill(lab, "edge.web.vdu.0");
	lab_add(lab, "edge.web.vdu.1")->health = "healthy";
	ill(lab, "edge.fw.vdu.0"); /* of another group */
	expect(lab, "nf/edge.fw.vdu.0 restart, nf/edge.web.1.vdu.0 restart, nf/edge.web.vdu.0 waits");
	/* the first one is on its way */
	lab->slots[0].health = "starting";
	expect(lab, "nf/edge.fw.vdu.0 waits, nf/edge.web.vdu.0 waits");
	lab->slots[0].health = "unhealthy";
	after_s(lab, 2);
	/* the one that was cured the least comes first */
	expect(lab, "nf/edge.fw.vdu.0 restart, nf/edge.web.1.vdu.0 waits, nf/edge.web.vdu.0 restart");
	/* what is down anyway: all at once */
	after_s(lab, 1000);
	lab->slots[2].health = "unhealthy";
	expect(lab, "nf/edge.fw.vdu.0 restart, nf/edge.web.1.vdu.0 restart, nf/edge.web.vdu.0 restart, nf/edge.web.vdu.1 restart");
	lab_free(lab);
}

static void test_marks(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = ill(lab, WEB);
	for (int i = 0; i < 2; i++) {
		auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
		const struct object *nf = objects_find(faults->observed->objects, "nf/" WEB);
		g_assert_cmpstr(object_string(nf, "state", ""), ==, "failed");
		g_assert_cmpstr(object_string(nf, "reason", ""), ==, "connection refused");
		g_assert_cmpuint(nf->incarnation, ==, 1);
		g_assert_nonnull(faults_cured_by(faults, "nf/" WEB));
		g_assert_null(faults_cured_by(faults, "vnfc/" WEB));
		lab_cured(lab, WEB, CURE_RESTART, faults->items[0].wanted);
		after_s(lab, 30);
	}
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	const struct object *vnfc = objects_find(faults->observed->objects, "vnfc/" WEB);
	g_assert_cmpstr(object_string(vnfc, "state", ""), ==, "failed");
	g_assert_cmpstr(object_string(vnfc, "exit", ""), ==, "its NF stayed ill: unhealthy: connection refused");
	g_assert_nonnull(faults_cured_by(faults, "vnfc/" WEB));
	g_assert_null(faults_held(faults, "nf/" WEB));
	g_assert_cmpstr(faults->items[0].origin.file, ==, "web.yaml");
	g_assert_cmpuint(faults->items[0].origin.line, ==, 14);
	slot->health = "healthy";
	lab_free(lab);
}

/* A clock that was set back keeps nobody waiting until it has caught up. */
static void test_clock_back(void)
{
	struct lab *lab = lab_new();
	ill(lab, WEB);
	expect(lab, "nf/" WEB " restart");
	after_s(lab, -24 * 60 * 60);
	expect(lab, "nf/" WEB " restart");
	expect(lab, "nf/" WEB " waits");
	lab_free(lab);
}

/* What the EMS does unasked counts, and keeps nobody waiting. */
static void test_by_itself(void)
{
	struct lab *lab = lab_new();
	struct lab_slot *slot = lab_add(lab, WEB);
	slot->max_per_hour = 4;
	slot->nf_state = "failed";
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	lab_cured(lab, WEB, CURE_ITSELF, faults->items[0].wanted);
	after_s(lab, 1);
	expect(lab, "nf/" WEB " restart");
	after_s(lab, 1);
	lab_cured(lab, WEB, CURE_ITSELF, faults->items[0].wanted);
	expect(lab, "nf/" WEB " waits"); /* for what we did */
	after_s(lab, 1);
	expect(lab, "vnfc/" WEB " recover");
	after_s(lab, 60);
	expect(lab, "nf/" WEB " limit");
	lab_free(lab);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/faults/well", test_well);
	g_test_add_func("/faults/escalates", test_escalates);
	g_test_add_func("/faults/limit", test_limit);
	g_test_add_func("/faults/asked", test_asked);
	g_test_add_func("/faults/not-recovered", test_not_recovered);
	g_test_add_func("/faults/gone", test_gone);
	g_test_add_func("/faults/another-commit", test_another_commit);
	g_test_add_func("/faults/one-at-a-time", test_one_at_a_time);
	g_test_add_func("/faults/marks", test_marks);
	g_test_add_func("/faults/by-itself", test_by_itself);
	g_test_add_func("/faults/clock-back", test_clock_back);
	return g_test_run();
}

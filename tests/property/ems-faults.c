/* Random histories of health: the fault monitor stays within its limits, never interrupts two of a group while one of them is
 * well, and always ends in well or held. It is level-triggered: what it decides follows from what is seen, the history and the
 * time alone. */
#include "ems_lab.h"

enum { RUNS = 300, TURNS = 200, WEBS = 3 };

static const char *const paths[WEBS] = { "edge.web.vdu.0", "edge.web.vdu.1", "edge.web.vdu.2" };

static void fall_ill(struct lab_slot *slot, GRand *rand)
{
	switch (g_rand_int_range(rand, 0, 3)) {
	case 0:
		slot->health = "unhealthy";
		break;
	case 1:
		slot->nf_state = "failed";
		break;
	default:
		slot->vnfc_state = g_rand_boolean(rand) ? "failed" : NULL;
		break;
	}
}

static void get_well(struct lab_slot *slot)
{
	slot->nf_state = "started";
	slot->health = "healthy";
	slot->vnfc_state = "running";
}

static bool serves(const struct lab_slot *slot)
{
	return slot->vnfc_state && !strcmp(slot->vnfc_state, "running") && !strcmp(slot->nf_state, "started") &&
	       !strcmp(slot->health, "healthy");
}

static bool runs(const struct lab_slot *slot)
{
	return slot->vnfc_state && !strcmp(slot->vnfc_state, "running") && !strcmp(slot->nf_state, "started");
}

static size_t within_an_hour(const struct lab *lab, const char *path)
{
	size_t n = 0;
	for (guint i = 0; i < lab->cures->len; i++) {
		const struct cure *cure = &g_array_index(lab->cures, struct cure, i);
		n += !strcmp(cure->path, path) && cure->wall_us > lab->now_us - (gint64) FAULTS_HISTORY_S * G_USEC_PER_SEC;
	}
	return n;
}

/* One look and what the plan does about it; @may_help: how likely a cure helps, of 10. */
static void turn(struct lab *lab, GRand *rand, int may_help)
{
	auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
	auto_ptr(faults) again = lab_faults(lab, NULL, NULL); /* a controller that was started anew */
	g_assert_cmpuint(faults->n, ==, again->n);
	size_t interrupted = 0, well = 0;
	for (size_t i = 0; i < WEBS; i++)
		well += serves(&lab->slots[i]);
	for (size_t i = 0; i < faults->n; i++) {
		const struct fault *fault = &faults->items[i];
		g_assert_cmpint(fault->fate, ==, again->items[i].fate);
		g_assert_cmpint(fault->until_us, ==, again->items[i].until_us);
		struct lab_slot *slot = lab->slots;
		while (strcmp(slot->path, fault->path))
			slot++;
		g_assert_false(serves(slot));
		if (fault->held) {
			g_assert_true(fault->until_us < 0 || fault->until_us > lab->now_us);
			continue;
		}
		g_assert_true(!slot->autoheal || fault->fate != FAULT_RECOVER);
		g_assert_cmpuint(within_an_hour(lab, slot->path), <, (size_t) slot->max_per_hour);
		interrupted += runs(slot);
		lab_cured(lab, slot->path, fault->fate == FAULT_RECOVER ? CURE_RECOVER : CURE_RESTART, fault->wanted);
		if (g_rand_int_range(rand, 0, 10) < may_help)
			get_well(slot);
		else if (fault->fate == FAULT_RECOVER)
			slot->vnfc_state = "running", slot->nf_state = "failed";
	}
	g_assert_true(interrupted <= 1 || well == 0);
}

static struct lab *random_lab(GRand *rand)
{
	struct lab *lab = lab_new();
	for (size_t i = 0; i < WEBS; i++) {
		static const char *const limits[] = { NULL, "report", "restart", "recover" };
		struct lab_slot *slot = lab_add(lab, paths[i]);
		get_well(slot);
		slot->max_per_hour = g_rand_int_range(rand, 1, 8);
		slot->escalate_to = limits[g_rand_int_range(rand, 0, G_N_ELEMENTS(limits))];
		slot->autoheal = g_rand_int_range(rand, 0, 4) ? NULL : "false";
	}
	return lab;
}

static void test_limits(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(4711);
	for (int run = 0; run < RUNS; run++) {
		struct lab *lab = random_lab(rand);
		int may_help = g_rand_int_range(rand, 0, 11);
		for (int i = 0; i < TURNS; i++) {
			if (g_rand_int_range(rand, 0, 4) == 0)
				fall_ill(&lab->slots[g_rand_int_range(rand, 0, WEBS)], rand);
			turn(lab, rand, may_help);
			lab->now_us += (gint64) g_rand_int_range(rand, 0, 120) * G_USEC_PER_SEC;
		}
		lab_free(lab);
	}
}

/* When nothing falls ill any more and cures help, following faults_next_us() alone ends in all being well, or held for good. */
static void test_ends(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(42);
	for (int run = 0; run < RUNS; run++) {
		struct lab *lab = random_lab(rand);
		for (size_t i = 0; i < WEBS; i++)
			fall_ill(&lab->slots[i], rand);
		for (int i = 0; i < 30; i++) {
			turn(lab, rand, 0);
			lab->now_us += (gint64) g_rand_int_range(rand, 0, 60) * G_USEC_PER_SEC;
		}
		bool settled = false;
		for (int i = 0; i < 100 && !settled; i++) {
			turn(lab, rand, 10);
			auto_ptr(faults) faults = lab_faults(lab, NULL, NULL);
			settled = true;
			for (size_t j = 0; j < faults->n; j++)
				settled &= faults->items[j].fate == FAULT_REPORTED;
			gint64 next_us = faults_next_us(faults);
			if (next_us >= 0)
				lab->now_us = MAX(lab->now_us, next_us);
		}
		g_assert_true(settled);
		lab_free(lab);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/faults/limits", test_limits);
	g_test_add_func("/faults/ends", test_ends);
	return g_test_run();
}

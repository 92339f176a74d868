/* Properties of plans over random networks and random mishaps. The seed is printed by the test runner; --seed SEED runs it
 * again. */
#include "planlab.h"

enum { RUNS = 100, ROUNDS_MAX = 30 };

#define POINTER(constant) ((gpointer) (uintptr_t) (constant))

/* A world that steps are done to: what is there, what was applied, and old incarnations beside the current ones. */
struct world {
	struct arena *arena;
	GHashTable *there, *applied;  /* key to const struct object * */
	GPtrArray *beside;            /* const struct object *: leftovers */
	const struct caps *caps;
	bool stubborn;                /* its VIM leaves addresses as they are rather than going back to the last applied ones */
};

static bool chance(int percent)
{
	return g_test_rand_int_range(0, 100) < percent;
}

static int pick(int n)
{
	return g_test_rand_int_range(0, n);
}

/* --- random networks ----------------------------------------------------------------------------------------------------- */

enum { SERVICES = 3, VNFS = 3, INSTANCES = 2 };

struct shape {
	bool service[SERVICES], wan[SERVICES], vnf[SERVICES][VNFS], second[SERVICES][VNFS];
};

static struct shape random_shape(void)
{
	struct shape shape;
	for (int s = 0; s < SERVICES; s++) {
		shape.service[s] = chance(70);
		shape.wan[s] = chance(50);
		for (int v = 0; v < VNFS; v++) {
			shape.vnf[s][v] = chance(65);
			shape.second[s][v] = chance(40);
		}
	}
	return shape;
}

static void add_vnfc(struct lab *lab, const struct shape *shape, const char *path, int s)
{
	g_autofree char *key = g_strdup_printf("vnfc/%s", path);
	g_autoptr(GString) fields = g_string_new("state=running ");
	g_autoptr(GString) depends = g_string_new(NULL);
	const char *link = shape->wan[s] && chance(50) ? "wan" : "lan";
	g_string_append_printf(fields, "vcpus=%d pids=%d cp.p.link=link/s%d.%s cp.p.mtu=%d", 1 + pick(2), 100 * pick(2) + 1, s,
			link,
			       1400 + pick(2));
	g_string_append_printf(depends, "link/s%d.%s", s, link);
	if (chance(20))
		g_string_append_printf(fields, " hostname=h%d", pick(2));
	if (chance(20))
		g_string_append_printf(fields, " cp.p.addresses=[10.1.%d.%d]", s, pick(200));
	if (shape->wan[s] && chance(30)) {
		g_string_append_printf(fields, " cp.q.link=link/s%d.wan cp.q.mtu=1500", s);
		g_string_append_printf(depends, " link/s%d.wan", s);
	}
	lab_desired(lab, key, fields->str, depends->str);
}

/* An NF whose file may tell of the addresses of its own VNFC and of others', in whatever service. */
static void add_nf(struct lab *lab, const char *path, GPtrArray *paths)
{
	g_autofree char *key = g_strdup_printf("nf/%s", path), *vnfc = g_strdup_printf("vnfc/%s", path);
	g_autoptr(GString) fields = g_string_new(NULL);
	g_string_append_printf(fields, "state=%s command=[run,%d] config.c.path=/c", chance(90) ? "started" : "stopped", pick(2));
	const char *other = chance(50) ? path : paths->pdata[pick((int) paths->len)];
	if (chance(70))
		g_string_append_printf(fields, " config.c.content=@vnfc/%s:cp.p.addresses:0", other);
	else
		g_string_append_printf(fields, " config.c.content=text%d", pick(2));
	lab_desired(lab, key, fields->str, vnfc);
}

static void random_desired(struct lab *lab, const struct shape *shape)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	for (int s = 0; s < SERVICES; s++) {
		if (!shape->service[s])
			continue;
		g_autofree char *lan = g_strdup_printf("link/s%d.lan", s), *wan = g_strdup_printf("link/s%d.wan", s);
		g_autofree char *mtu = g_strdup_printf("mtu=%d state=up", 1400 + pick(2));
		lab_desired(lab, lan, mtu, NULL);
		if (shape->wan[s])
			lab_desired(lab, wan, "mtu=1500 state=up", NULL);
		for (int v = 0; v < VNFS; v++)
			for (int i = 0; shape->vnf[s][v] && i < 1 + shape->second[s][v]; i++) {
				char *path = g_strdup_printf("s%d.v%d.%d", s, v, i);
				g_ptr_array_add(paths, path);
				add_vnfc(lab, shape, path, s);
			}
	}
	for (guint i = 0; i < paths->len; i++)
		if (chance(80))
			add_nf(lab, paths->pdata[i], paths);
}

/* --- the world ----------------------------------------------------------------------------------------------------------- */

static void fill(GPtrArray *to, GHashTable *from)
{
	GHashTableIter iter;
	gpointer object;
	g_ptr_array_set_size(to, 0);
	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		g_ptr_array_add(to, object);
}

/* The world as a plan's input sees it. */
static void look(struct lab *lab, const struct world *world)
{
	fill(lab->observed, world->there);
	fill(lab->last, world->applied);
	g_array_set_size(lab->leftovers, 0);
	for (guint i = 0; i < world->beside->len; i++) {
		const struct object *object = world->beside->pdata[i];
		lab_leftover(lab, object->key, object->incarnation);
	}
	lab->caps = world->caps;
}

static struct observed snapshot(const struct world *world)
{
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	fill(objects, world->there);
	return (struct observed) {
		.arena = world->arena,
		.objects = objects_sorted(world->arena, (const struct object *const *) objects->pdata, objects->len),
	};
}

static const struct object *there(const struct world *world, const char *key)
{
	return g_hash_table_lookup(world->there, key);
}

static bool is_running(const struct object *vnfc)
{
	return vnfc && strcmp(object_string(vnfc, "state", ""), "running") == 0;
}

/* The addresses that a VIM gives: fixed, else what is there or was last applied, else new ones. */
static void allocate(const struct world *world, struct object_builder *builder, const struct object *want,
		const struct step *step)
{
	size_t n;
	const char *const *cps = object_elements(world->arena, want, "cp", &n);
	for (size_t i = 0; i < n; i++) {
		char *path = arena_printf(world->arena, "cp.%s.addresses", cps[i]);
		if (object_field(want, path))
			continue;
		const struct object *from[] = { step->last, step->observed };
		const struct value *value = &value_absent;
		for (size_t j = 0; j < 2 && value->type == VALUE_ABSENT; j++) {
			const struct object *object = from[world->stubborn ? 1 - j : j];
			value = object ? object_value(object, path) : &value_absent;
		}
		char *fresh = arena_printf(world->arena, "10.9.%d.%d", pick(200), pick(200));
		if (value->type == VALUE_ABSENT)
			value = value_string_list(world->arena, (const char *const[]) { fresh }, 1);
		object_set(builder, path, value, ORIGIN_NONE);
		object_set_string(builder, arena_printf(world->arena, "cp.%s.port_name", cps[i]), cps[i], ORIGIN_NONE);
	}
}

static void check_ground(const struct world *world, const struct object *want)
{
	if (want->kind == &kind_nf)
		g_assert_true(is_running(there(world, key_of_kind(world->arena, want->key, "vnfc"))));
	for (size_t i = 0; i < want->n_depends; i++)
		g_assert_nonnull(there(world, want->depends[i]));
}

static void do_forward(struct world *world, const struct step *step)
{
	g_autoptr(GError) error = NULL;
	struct observed seen = snapshot(world);
	const struct object *want = object_eval(world->arena, step->desired, plan_lookup, &seen, &error);
	g_assert_no_error(error);
	check_ground(world, want);
	struct object_builder *builder = object_builder_new(world->arena, want->key, want->site, ORIGIN_NONE);
	for (size_t i = 0; i < want->n_fields; i++) {
		g_assert_true(value_is_known(want->fields[i].value));
		object_set(builder, want->fields[i].path, want->fields[i].value, ORIGIN_NONE);
	}
	if (want->kind == &kind_vnfc)
		allocate(world, builder, want, step);
	object_set_incarnation(builder, step->incarnation);
	const struct object *got = object_build(builder), *old = there(world, want->key);
	if (step->action == ACTION_CREATE)
		g_assert_true(!old || want->kind == &kind_nf);
	else
		g_assert_nonnull(old);
	if (step->action == ACTION_REPLACE && !step->interrupts)
		g_ptr_array_add(world->beside, POINTER(old));
	if (step->action != ACTION_CHANGE && want->kind == &kind_vnfc)
		g_hash_table_remove(world->there, key_of_kind(world->arena, want->key, "nf"));
	g_hash_table_insert(world->there, POINTER(got->key), POINTER(got));
	g_hash_table_insert(world->applied, POINTER(got->key), POINTER(got));
}

static bool names(const struct object *object, const char *link)
{
	for (size_t i = 0; i < object->n_fields; i++)
		if (object->fields[i].value->type == VALUE_STRING && strcmp(object->fields[i].value->string, link) == 0)
			return true;
	return false;
}

static void check_unused(const struct world *world, const char *link)
{
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	fill(objects, world->there);
	for (guint i = 0; i < objects->len; i++)
		g_assert_false(names(objects->pdata[i], link));
	for (guint i = 0; i < world->beside->len; i++)
		g_assert_false(names(world->beside->pdata[i], link));
}

static void do_backward(struct world *world, const struct step *step)
{
	if (step->action == ACTION_CLEAN) {
		for (guint i = 0; i < world->beside->len; i++) {
			const struct object *object = world->beside->pdata[i];
			if (strcmp(object->key, step->key) == 0 && object->incarnation == step->incarnation) {
				g_ptr_array_remove_index(world->beside, i);
				return;
			}
		}
		g_assert_not_reached();
	}
	const struct object *object = there(world, step->key);
	/* A VNFC that was restarted took its NF along: absent is success. */
	if (!object && key_is_kind(step->key, "nf")) {
		g_hash_table_remove(world->applied, step->key);
		return;
	}
	g_assert_true(object && object->incarnation == step->incarnation);
	if (object->kind == &kind_link)
		check_unused(world, step->key);
	if (object->kind == &kind_vnfc)
		g_hash_table_remove(world->there, key_of_kind(world->arena, step->key, "nf"));
	g_hash_table_remove(world->there, step->key);
	g_hash_table_remove(world->applied, step->key);
}

/* @n of the steps, in any order that their dependencies allow. */
static void do_steps(struct world *world, const struct plan *plan, size_t n)
{
	g_autofree bool *done = g_new0(bool, plan->n_steps + 1);
	for (size_t did = 0; did < n; did++) {
		size_t at = (size_t) pick((int) plan->n_steps);
		for (;; at = (at + 1) % plan->n_steps) {
			bool ready = !done[at];
			for (size_t i = 0; ready && i < plan->steps[at].n_after; i++)
				ready = done[plan->steps[at].after[i]];
			if (ready)
				break;
		}
		done[at] = true;
		if (plan->steps[at].desired)
			do_forward(world, &plan->steps[at]);
		else
			do_backward(world, &plan->steps[at]);
	}
}

/* --- mishaps ------------------------------------------------------------------------------------------------------------- */

static const struct object *with(const struct world *world, const struct object *object, const char *path,
		const struct value *value)
{
	struct object_builder *builder = object_builder_new(world->arena, object->key, object->site, ORIGIN_NONE);
	for (size_t i = 0; i < object->n_fields; i++)
		object_set(builder, object->fields[i].path, object->fields[i].value, ORIGIN_NONE);
	object_set(builder, path, value, ORIGIN_NONE);
	object_set_incarnation(builder, object->incarnation);
	return object_build(builder);
}

static void mishap(struct world *world, const struct object *object)
{
	struct arena *arena = world->arena;
	const struct object *now = NULL;
	switch (pick(8)) {
	case 0:
		g_hash_table_remove(world->there, object->key);
		if (object->kind == &kind_vnfc)
			g_hash_table_remove(world->there, key_of_kind(arena, object->key, "nf"));
		return;
	case 1:
		g_hash_table_remove(world->applied, object->key);
		return;
	case 2:
		if (object->kind == &kind_vnfc)
			now = with(world, object, "state", value_string(arena, "stopped"));
		break;
	case 3:
		if (object->kind == &kind_vnfc)
			now = with(world, object, "cp.p.addresses", value_string_list(arena, (const char *const[]) { "10.7.7.7" },
					1));
		break;
	case 4:
		if (object->kind == &kind_vnfc)
			now = with(world, object, "cp.x.mtu", value_integer(arena, 1300));
		break;
	case 5:
		if (object->kind == &kind_vnfc) {
			g_ptr_array_add(world->beside, POINTER(object));
			now = with(world, object, "vcpus", value_integer(arena, 7));
			((struct object *) (uintptr_t) now)->incarnation++;
		}
		break;
	case 6:
		now = with(world, object, "state", object->kind == &kind_link ? value_string(arena, "down") : value_string(arena,
				"failed"));
		break;
	case 7:
		if (object->kind == &kind_nf)
			now = with(world, object, "config.c.content", lab_value(&(struct lab) { .arena = arena }, "#meddled"));
		break;
	}
	if (now)
		g_hash_table_insert(world->there, POINTER(now->key), POINTER(now));
}

static void mishaps(struct world *world, int percent)
{
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	fill(objects, world->there);
	for (guint i = 0; i < objects->len; i++)
		if (chance(percent) && there(world, ((const struct object *) objects->pdata[i])->key) == objects->pdata[i])
			mishap(world, objects->pdata[i]);
	if (chance(10))
		g_hash_table_remove_all(world->applied);
}

/* --- what must hold of every plan ---------------------------------------------------------------------------------------- */

static size_t step_of(const struct plan *plan, const char *key)
{
	const struct step *step = plan_step(plan, key);
	return step ? (size_t) (step - plan->steps) : SIZE_MAX;
}

static bool comes_after(const struct step *step, size_t before)
{
	for (size_t i = 0; i < step->n_after; i++)
		if (step->after[i] == before)
			return true;
	return false;
}

static void check_plan(const struct plan *plan)
{
	size_t counted = plan->creates + plan->changes + plan->replaces + plan->removes;
	g_assert_cmpuint(counted, ==, plan->n_steps);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		for (size_t j = 0; j < step->n_after; j++) {
			g_assert_cmpuint(step->after[j], <, i);
			g_assert_true(!j || step->after[j - 1] < step->after[j]);
		}
		for (size_t j = 0; j < step->n_changes; j++) {
			g_assert_true(!j || strcmp(step->changes[j - 1].path, step->changes[j].path) < 0);
			g_assert_true((step->changes[j].waits_for != NULL) == (step->changes[j].desired->type == VALUE_PENDING));
		}
		for (size_t j = 0; step->desired && j < step->desired->n_depends; j++) {
			size_t needed = step_of(plan, step->desired->depends[j]);
			if (needed != SIZE_MAX && plan->steps[needed].desired)
				g_assert_true(comes_after(step, needed));
		}
		if (step->action == ACTION_REPLACE)
			g_assert_cmpuint(step->incarnation, >, step->observed->incarnation);
	}
}

static void shuffle(gpointer *items, guint n)
{
	for (guint i = n; i > 1; i--) {
		guint j = (guint) pick((int) i);
		gpointer swap = items[i - 1];
		items[i - 1] = items[j];
		items[j] = swap;
	}
}

/* The same inputs in another order: the same bytes. */
static void check_order_of_input(struct lab *lab, const struct plan *plan)
{
	const char *fingerprint = lab_fingerprint(lab, plan); /* of the input as it still stands */
	shuffle(lab->desired->pdata, lab->desired->len);
	shuffle(lab->observed->pdata, lab->observed->len);
	shuffle(lab->last->pdata, lab->last->len);
	if (lab->leftovers->len > 1) {
		struct leftover *leftovers = (struct leftover *) (void *) lab->leftovers->data, swap = leftovers[0];
		leftovers[0] = leftovers[lab->leftovers->len - 1];
		leftovers[lab->leftovers->len - 1] = swap;
	}
	auto_ptr(plan) again = lab_plan(lab);
	g_assert_cmpstr(lab_text(lab, again, true), ==, lab_text(lab, plan, true));
	g_assert_cmpstr(lab_fingerprint(lab, again), ==, fingerprint);
}

/* A plan that takes over what it can of the one before is the plan that takes over nothing. */
static void check_taken_over(struct lab *lab, const struct plan *plan)
{
	auto_ptr(plan) whole = lab_plan(lab);
	g_assert_cmpstr(lab_text(lab, plan, true), ==, lab_text(lab, whole, true));
	g_assert_cmpstr(lab_fingerprint(lab, plan), ==, lab_fingerprint(lab, whole));
}

/* --- the tests ----------------------------------------------------------------------------------------------------------- */

static struct world world_new(struct arena *arena)
{
	static const struct cap_override dear[] = { { "vnfc", "vcpus", COST_REPLACE } };
	static const struct caps beside = { "x", 1, dear, 1, true }, instead = { "x", 1, dear, 1, false };
	const struct caps *caps[] = { NULL, &beside, &instead };
	return (struct world) { arena, g_hash_table_new(g_str_hash, g_str_equal), g_hash_table_new(g_str_hash, g_str_equal),
			g_ptr_array_new(),
				caps[pick(3)], chance(50) };
}

static void world_clear(struct world *world)
{
	g_hash_table_unref(world->there);
	g_hash_table_unref(world->applied);
	g_ptr_array_unref(world->beside);
}

/* Plans and does random prefixes, with mishaps in between, then whole plans: at the end nothing is left to do. */
static void converge(struct lab *lab, struct world *world, int rounds_of_trouble)
{
	auto_ptr(plan) former = NULL;
	for (int round = 0;; round++) {
		look(lab, world);
		auto_ptr(plan) plan = lab_plan_after(lab, former);
		check_plan(plan);
		check_taken_over(lab, plan);
		plan_unref(former);
		former = plan_ref(plan);
		if (chance(30))
			check_order_of_input(lab, plan);
		g_assert_cmpuint(plan->n_unplanned, ==, 0);
		if (!plan->n_steps && round >= rounds_of_trouble)
			return;
		if (round > ROUNDS_MAX)
			g_test_message("%s", lab_text(lab, plan, true));
		g_assert_cmpint(round, <=, ROUNDS_MAX);
		bool trouble = round < rounds_of_trouble;
		do_steps(world, plan, trouble && plan->n_steps ? (size_t) pick((int) plan->n_steps + 1) : plan->n_steps);
		if (trouble)
			mishaps(world, 10);
	}
}

static void test_converges(void)
{
	for (int run = 0; run < RUNS; run++) {
		struct lab lab;
		lab_init(&lab);
		struct world world = world_new(lab.arena);
		for (int revision = 0; revision < 3; revision++) {
			struct shape shape = random_shape();
			g_ptr_array_set_size(lab.desired, 0);
			random_desired(&lab, &shape);
			converge(&lab, &world, pick(4));
		}
		/* All of it taken away again: nothing is left of anything. */
		g_ptr_array_set_size(lab.desired, 0);
		converge(&lab, &world, 0);
		g_assert_cmpuint(g_hash_table_size(world.there), ==, 0);
		g_assert_cmpuint(world.beside->len, ==, 0);
		world_clear(&world);
		lab_clear(&lab);
	}
}

/* Straight through, without trouble: a chain of references is all that makes more than one round. */
static void test_few_rounds(void)
{
	for (int run = 0; run < RUNS; run++) {
		struct lab lab;
		lab_init(&lab);
		struct world world = world_new(lab.arena);
		struct shape shape = random_shape();
		random_desired(&lab, &shape);
		look(&lab, &world);
		auto_ptr(plan) plan = lab_plan(&lab);
		do_steps(&world, plan, plan->n_steps);
		look(&lab, &world);
		lab_expect(&lab, true, "");
		world_clear(&world);
		lab_clear(&lab);
	}
}

/* What cannot be seen, cannot be read, or waits for itself: still one plan, acyclic, whatever the order of the input. */
static void test_troubled(void)
{
	for (int run = 0; run < RUNS; run++) {
		struct lab lab;
		lab_init(&lab);
		struct world world = world_new(lab.arena);
		struct shape shape = random_shape();
		random_desired(&lab, &shape);
		look(&lab, &world);
		auto_ptr(plan) first = lab_plan(&lab);
		do_steps(&world, first, (size_t) pick((int) first->n_steps + 1));
		mishaps(&world, 20);
		shape = random_shape();
		g_ptr_array_set_size(lab.desired, 0);
		random_desired(&lab, &shape);
		look(&lab, &world);
		for (guint i = 0; i < lab.observed->len; i++)
			if (chance(20))
				lab.observed->pdata[i] = POINTER(with(&world, lab.observed->pdata[i], "state", &value_unknown));
		if (chance(30))
			g_ptr_array_add(lab.faulty, POINTER("s0."));
		lab.site = "blind";
		lab_desired(&lab, "vnfc/s2.x", "state=@vnfc/s2.y:hostname", "vnfc/s2.y");
		lab_desired(&lab, "vnfc/s2.y", "state=@vnfc/s2.x:hostname", "link/s0.lan");
		if (chance(50))
			g_ptr_array_add(lab.blind, POINTER("blind"));
		auto_ptr(plan) plan = lab_plan(&lab);
		check_plan(plan);
		check_order_of_input(&lab, plan);
		for (size_t i = 0; lab.faulty->len && i < plan->n_steps; i++)
			g_assert_false(key_matches(plan->steps[i].key, "s0.**"));
		world_clear(&world);
		lab_clear(&lab);
	}
}

/* One edit, of what is desired, applied, there, beside, faulty or blind. */
static void edit(struct lab *lab, struct world *world)
{
	guint at = lab->desired->len ? (guint) pick((int) lab->desired->len) : 0;
	switch (pick(6)) {
	case 0:
		if (lab->desired->len)
			g_ptr_array_remove_index(lab->desired, at);
		return;
	case 1:
		if (lab->desired->len)
			lab->desired->pdata[at] = POINTER(object_copy(lab->arena, lab->desired->pdata[at]));
		return;
	case 2:
		g_ptr_array_set_size(lab->faulty, 0);
		if (chance(50))
			g_ptr_array_add(lab->faulty, POINTER(chance(80) ? "s1." : ""));
		return;
	case 3:
		g_ptr_array_set_size(lab->blind, 0);
		if (chance(50))
			g_ptr_array_add(lab->blind, POINTER("s"));
		return;
	default:
		mishaps(world, 3);
		return;
	}
}

static void test_taken_over(void)
{
	enum { EDITS = 60 };
	for (int run = 0; run < RUNS / 4; run++) {
		struct lab lab;
		lab_init(&lab);
		struct world world = world_new(lab.arena);
		struct shape shape = random_shape();
		random_desired(&lab, &shape);
		converge(&lab, &world, 0);
		auto_ptr(plan) former = NULL;
		for (int i = 0; i < EDITS; i++) {
			edit(&lab, &world);
			look(&lab, &world);
			auto_ptr(plan) plan = lab_plan_after(&lab, former);
			check_taken_over(&lab, plan);
			plan_unref(former);
			former = plan_ref(plan);
		}
		world_clear(&world);
		lab_clear(&lab);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/plan/properties/taken-over", test_taken_over);
	g_test_add_func("/plan/properties/few-rounds", test_few_rounds);
	g_test_add_func("/plan/properties/converges", test_converges);
	g_test_add_func("/plan/properties/troubled", test_troubled);
	return g_test_run();
}

/* The NF kind against an EMS that only notes what it was asked. */
#include "nf/nf_kind.h"

#include <string.h>

struct ems {
	GString *asked;
	const struct nf *there; /* NULL: none */
	bool silent;
};

static bool note_observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key,
			 struct arena *arena, const struct nf **ret, GError **error)
{
	g_string_append_printf(ems->asked, "%s at %s;", nf_key, access->address);
	if (ems->silent) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "it says nothing");
		return false;
	}
	*ret = ems->there;
	return true;
}

static bool note_ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	g_string_append_printf(ems->asked, "ensure %s#%u at %s;", want->key, want->incarnation, access->address);
	*ret_got = ems->there;
	return true;
}

static bool note_remove(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	g_string_append_printf(ems->asked, "remove %s at %s;", nf_key, access->address);
	return true;
}

static const struct ems_ops ops = { .name = "noting", .observe = note_observe, .ensure_nf = note_ensure,
				    .remove_nf = note_remove };
static const struct ems_ops other_ops = { .name = "other", .observe = note_observe, .ensure_nf = note_ensure,
					  .remove_nf = note_remove };

static struct ems *find_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
			    GError **error)
{
	bool other = strcmp(name, "other") == 0;
	if (strcmp(site, "berlin") != 0 || (!other && strcmp(name, "agent") != 0 && strcmp(name, "twin") != 0)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "site %s has no EMS \"%s\"", site, name);
		return NULL;
	}
	*ret_ops = other ? &other_ops : &ops;
	return lookup->data;
}

static const struct access *find_access(const struct lookup *lookup, const char *vnfc_key)
{
	static const struct access a = { "vnfc/a.0", "unix", "/a", NULL }, b = { "vnfc/b.0", "unix", "/b", NULL };
	return strcmp(vnfc_key, a.key) == 0 ? &a : strcmp(vnfc_key, b.key) == 0 ? &b : NULL;
}

static const char *ems_of(const char *nf_key, void *data)
{
	return strcmp(nf_key, "nf/none.0") == 0 ? NULL : strcmp(nf_key, "nf/lost.0") == 0 ? "nobody" : "agent";
}

struct fixture {
	struct arena *arena;
	struct ems ems;
	struct lookup lookup;
	struct call call;
	struct observation *observation;
	struct site site;
	struct look look;
	GPtrArray *objects;
};

static void add_vnfc(struct fixture *fixture, const char *key, unsigned incarnation, enum vnfc_state state)
{
	struct vnfc *vnfc = ARENA_NEW(fixture->arena, struct vnfc);
	*vnfc = (struct vnfc) { .key = key, .site = "berlin", .incarnation = incarnation, .state = state };
	g_ptr_array_add(fixture->observation->vnfcs, vnfc);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->arena = arena_new();
	fixture->ems.asked = g_string_new(NULL);
	fixture->lookup = (struct lookup) { .ems = find_ems, .access = find_access, .data = &fixture->ems };
	fixture->call = (struct call) { .cancel_fd = -1, .lookup = &fixture->lookup };
	fixture->observation = observation_new(fixture->arena);
	fixture->site = (struct site) { .name = "berlin" };
	fixture->look = (struct look) { .site = &fixture->site, .vim = fixture->observation, .nf_ems = ems_of };
	fixture->objects = g_ptr_array_new();
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_ptr_array_unref(fixture->objects);
	observation_free(fixture->observation);
	g_string_free(fixture->ems.asked, TRUE);
	arena_unref(fixture->arena);
}

static void observe(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	g_string_truncate(fixture->ems.asked, 0);
	g_ptr_array_set_size(fixture->objects, 0);
	g_assert_true(kind_nf_ops.observe(&fixture->call, &fixture->look, fixture->arena, fixture->objects, &error));
	g_assert_no_error(error);
}

static void test_who_is_asked(struct fixture *fixture, gconstpointer data)
{
	static const char *const keys[] = { "nf/b.0", "nf/c.0" };
	add_vnfc(fixture, "vnfc/b.0", 1, VNFC_RUNNING);
	add_vnfc(fixture, "vnfc/none.0", 1, VNFC_RUNNING); /* hosts no NF */
	add_vnfc(fixture, "vnfc/a.0", 2, VNFC_FAILED);     /* has ended, but the former still runs */
	add_vnfc(fixture, "vnfc/a.0", 1, VNFC_RUNNING);
	observe(fixture);
	g_assert_cmpstr(fixture->ems.asked->str, ==, "nf/a.0 at /a;nf/b.0 at /b;");
	g_assert_cmpuint(fixture->objects->len, ==, 0); /* nothing there */
	fixture->look.keys = keys;
	fixture->look.n_keys = 2;
	observe(fixture);
	g_assert_cmpstr(fixture->ems.asked->str, ==, "nf/b.0 at /b;");
}

static void test_ended_host(struct fixture *fixture, gconstpointer data)
{
	add_vnfc(fixture, "vnfc/a.0", 1, VNFC_STOPPED);
	observe(fixture);
	g_assert_cmpstr(fixture->ems.asked->str, ==, "");
	g_assert_cmpuint(fixture->objects->len, ==, 0);
}

static void test_what_is_there(struct fixture *fixture, gconstpointer data)
{
	struct nf nf = { .key = "nf/a.0", .site = "berlin", .incarnation = 1, .state = NF_STARTED, .ems = "agent", .pid = 5 };
	fixture->ems.there = &nf;
	add_vnfc(fixture, "vnfc/a.0", 4, VNFC_RUNNING);
	observe(fixture);
	g_assert_cmpuint(fixture->objects->len, ==, 1);
	const struct object *object = fixture->objects->pdata[0];
	g_assert_cmpstr(object->key, ==, "nf/a.0");
	g_assert_cmpuint(object->incarnation, ==, 4);
	g_assert_cmpstr(object_string(object, "state", ""), ==, "started");
}

/* An EMS that does not answer: unknown, with the reason; never "stopped", never "gone". */
static void test_unknown(struct fixture *fixture, gconstpointer data)
{
	fixture->ems.silent = true;
	add_vnfc(fixture, "vnfc/a.0", 1, VNFC_RUNNING);
	add_vnfc(fixture, "vnfc/far.0", 1, VNFC_RUNNING);  /* the VIM says no way to it */
	add_vnfc(fixture, "vnfc/lost.0", 1, VNFC_RUNNING); /* its EMS is not there */
	observe(fixture);
	static const char *const reasons[] = { "it says nothing", "the VIM does not say how to reach vnfc/far.0",
					       "no EMS \"nobody\"" };
	g_assert_cmpuint(fixture->objects->len, ==, 3);
	for (guint i = 0; i < fixture->objects->len; i++) {
		const struct object *object = fixture->objects->pdata[i];
		g_assert_cmpint(object_value(object, "state")->type, ==, VALUE_UNKNOWN);
		g_assert_cmpint(object_value(object, "command")->type, ==, VALUE_UNKNOWN);
		g_assert_nonnull(strstr(object_string(object, "reason", ""), reasons[i]));
		/* nothing is planned on what is not known, so nothing that is known stands beside it */
		for (size_t j = 0; j < object->n_fields; j++)
			g_assert_true(object->fields[j].value->type == VALUE_UNKNOWN || object->fields[j].spec->flags & FIELD_OBSERVED);
	}
}

static void test_blind(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	fixture->look.vim = NULL;
	fixture->look.reason = "no route";
	g_assert_false(kind_nf_ops.observe(&fixture->call, &fixture->look, fixture->arena, fixture->objects, &error));
	g_assert_nonnull(strstr(error->message, "no route"));
}

static void test_act(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct nf nf = { .key = "nf/a.0", .site = "berlin", .incarnation = 3, .state = NF_STARTED, .ems = "agent" };
	struct nf seen = nf;
	seen.incarnation = 0;
	seen.pid = 9;
	fixture->ems.there = &seen;
	const struct object *want = nf_to_object(fixture->arena, &nf), *got = NULL;
	const struct access *access = NULL;
	g_assert_true(kind_nf_ops.act(&fixture->call, ACT_CREATE, want, NULL, fixture->arena, &got, &access, &error));
	g_assert_cmpint(object_int(got, "pid", 0), ==, 9);
	g_assert_cmpuint(got->incarnation, ==, 3);
	g_assert_true(kind_nf_ops.act(&fixture->call, ACT_REMOVE, want, NULL, fixture->arena, &got, &access, &error));
	g_assert_null(got);
	/* who manages it is known from what was applied, where what goes does not say */
	nf.ems = NULL;
	const struct object *goes = nf_to_object(fixture->arena, &nf);
	g_assert_true(kind_nf_ops.act(&fixture->call, ACT_REMOVE, goes, want, fixture->arena, &got, &access, &error));
	g_assert_cmpstr(fixture->ems.asked->str, ==, "ensure nf/a.0#3 at /a;remove nf/a.0 at /a;remove nf/a.0 at /a;");
	g_assert_false(kind_nf_ops.act(&fixture->call, ACT_REMOVE, goes, NULL, fixture->arena, &got, &access, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	nf.ems = "agent";
	nf.key = "nf/far.0";
	want = nf_to_object(fixture->arena, &nf);
	g_assert_false(kind_nf_ops.act(&fixture->call, ACT_CREATE, want, NULL, fixture->arena, &got, &access, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
}

/* Moved to another driver it leaves the former one first; to the same driver by another name, or from one that is no more, there is
 * nothing to leave. */
static void test_moves(struct fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *from, *asked;
	} cases[] = {
		{ "other", "remove nf/a.0 at /a;ensure nf/a.0#1 at /a;" },
		{ "twin", "ensure nf/a.0#1 at /a;" },
		{ "gone", "ensure nf/a.0#1 at /a;" },
		{ "agent", "ensure nf/a.0#1 at /a;" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct nf nf = { .key = "nf/a.0", .site = "berlin", .incarnation = 1, .state = NF_STARTED, .ems = cases[i].from };
		const struct object *last = nf_to_object(fixture->arena, &nf), *got = NULL;
		const struct access *access = NULL;
		g_autoptr(GError) error = NULL;
		nf.ems = "agent";
		g_string_truncate(fixture->ems.asked, 0);
		g_assert_true(kind_nf_ops.act(&fixture->call, ACT_CREATE, nf_to_object(fixture->arena, &nf), last, fixture->arena, &got, &access,
					      &error));
		g_assert_no_error(error);
		g_assert_cmpstr(fixture->ems.asked->str, ==, cases[i].asked);
	}
}

#define ADD(name, function) g_test_add("/kind_nf/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("who-is-asked", test_who_is_asked);
	ADD("ended-host", test_ended_host);
	ADD("what-is-there", test_what_is_there);
	ADD("unknown", test_unknown);
	ADD("blind", test_blind);
	ADD("act", test_act);
	ADD("moves", test_moves);
	return g_test_run();
}

/* The NF kind and secrets: put in just before the EMS is called, known again by their proofs, told to nobody. */
#include "base/log.h"
#include "model/mark.h"
#include "nf/nf_kind.h"

#include <string.h>

struct ems {
	struct arena *arena;
	struct nf there;
	bool is_there, fails;
	unsigned ensured;
	GString *given; /* what it was given in clear, and labels */
};

struct world {
	struct ems ems;
	const char *password; /* NULL: the controller has none */
	unsigned asked;
};

static bool observe_nf(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key,
		       struct arena *arena, const struct nf **ret, GError **error)
{
	*ret = ems->is_there ? &ems->there : NULL;
	return true;
}

/* As a driver does: keeps the proofs, and of a file with a secret only its label. */
static bool ensure_nf(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
		      const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	ems->ensured++;
	g_string_printf(ems->given, "%s|%s|%s", want->files[0].content, want->files[0].label ? "label" : "-",
			want->operations[NF_START].n_inputs ? want->operations[NF_START].inputs[0].value : "-");
	if (ems->fails) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "check: exit 1: %s", want->files[0].content);
		return false;
	}
	struct nf_file *file = ARENA_NEW(ems->arena, struct nf_file);
	struct nf_secret *secret = ARENA_NEW(ems->arena, struct nf_secret);
	*file = (struct nf_file) { .name = "config", .path = "/etc/a.conf", .mode = "0600",
				   .digest = arena_strdup(ems->arena, want->files[0].label) };
	*secret = (struct nf_secret) { .name = "pw", .proof = arena_strdup(ems->arena, want->secrets[0].proof) };
	ems->there = (struct nf) { .key = "nf/a.0", .site = "local", .ems = "leaf", .files = file, .n_files = 1, .secrets = secret,
				   .n_secrets = 1, .reason = "it was told " "hunter22" };
	ems->is_there = true;
	*ret_got = &ems->there;
	return true;
}

static const struct ems_ops ops = { .name = "keeping", .observe = observe_nf, .ensure_nf = ensure_nf };

static struct ems *find_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
			    GError **error)
{
	*ret_ops = &ops;
	return &((struct world *) lookup->data)->ems;
}

static const struct access *find_access(const struct lookup *lookup, const char *vnfc_key)
{
	static const struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = "/a" };
	return &access;
}

static char *find_secret(const struct lookup *lookup, const char *name, GError **error)
{
	struct world *world = lookup->data;
	world->asked++;
	if (!world->password || strcmp(name, "pw") != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "this controller has no secret \"%s\"", name);
		return NULL;
	}
	redact_add(world->password);
	return g_strdup(world->password);
}

static const char *ems_of(const char *nf_key, void *data)
{
	return "leaf";
}

struct fixture {
	struct arena *arena;
	struct world world;
	struct lookup lookup;
	struct call call;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->arena = arena_new();
	fixture->world = (struct world) { .ems = { .arena = fixture->arena, .given = g_string_new(NULL) }, .password = "hunter22" };
	fixture->lookup = (struct lookup) { .ems = find_ems, .access = find_access, .secret = find_secret, .data = &fixture->world };
	fixture->call = (struct call) { .cancel_fd = -1, .lookup = &fixture->lookup };
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_string_free(fixture->world.ems.given, TRUE);
	arena_unref(fixture->arena);
}

static const struct object *wanted(struct fixture *fixture)
{
	struct object_builder *builder = object_builder_new(fixture->arena, "nf/a.0", "local", ORIGIN_NONE);
	object_set_string(builder, "ems", "leaf", ORIGIN_NONE);
	object_set_string(builder, "config.config.path", "/etc/a.conf", ORIGIN_NONE);
	object_set_string(builder, "config.config.content", "auth " MARK_BEGIN "secret:pw" MARK_END "\n", ORIGIN_NONE);
	object_set_string(builder, "secret.pw", "current", ORIGIN_NONE);
	return object_build(builder);
}

static bool act(struct fixture *fixture, const struct object **ret_got, GError **error)
{
	const struct access *access = NULL;
	return kind_nf_ops.act(&fixture->call, ACT_CHANGE, wanted(fixture), NULL, fixture->arena, ret_got, &access, error);
}

static const struct object *look(struct fixture *fixture)
{
	struct observation *observation = observation_new(fixture->arena);
	struct vnfc vnfc = { .key = "vnfc/a.0", .site = "local", .incarnation = 1, .state = VNFC_RUNNING };
	const struct site site = { .name = "local" };
	const struct look look = { .site = &site, .vim = observation, .nf_ems = ems_of };
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	g_ptr_array_add(observation->vnfcs, &vnfc);
	g_assert_true(kind_nf_ops.observe(&fixture->call, &look, fixture->arena, objects, &error));
	g_assert_cmpuint(objects->len, ==, 1);
	observation_free(observation);
	return objects->pdata[0];
}

static void test_filled(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const struct object *got = NULL;
	g_assert_true(act(fixture, &got, &error));
	g_assert_cmpstr(fixture->world.ems.given->str, ==, "auth hunter22\n|label|-");
	g_assert_cmpstr(object_string(got, "secret.pw", ""), ==, "current");
	/* What is there is what is wanted, by the digest of the text with its marks. */
	g_assert_true(value_equal(object_value(got, "config.config.content"), object_value(wanted(fixture), "config.config.content")));
	g_autoptr(json_t) json = object_to_json(got);
	g_autofree char *text = json_text(json, 0);
	g_assert_null(strstr(text, "hunter22"));
	g_assert_nonnull(strstr(text, "it was told ***"));
}

static void test_changed(struct fixture *fixture, gconstpointer data)
{
	const struct object *got = NULL;
	g_assert_true(act(fixture, &got, NULL));
	g_assert_cmpstr(object_string(look(fixture), "secret.pw", ""), ==, "current");
	g_autofree char *proof = g_strdup(fixture->world.ems.there.secrets[0].proof);
	g_assert_true(act(fixture, &got, NULL));
	g_assert_cmpstr(fixture->world.ems.there.secrets[0].proof, ==, proof); /* the same secret keeps its proof */
	fixture->world.password = "correct horse";
	g_assert_cmpstr(object_string(look(fixture), "secret.pw", ""), ==, "changed");
	g_assert_true(act(fixture, &got, NULL));
	g_assert_cmpstr(fixture->world.ems.given->str, ==, "auth correct horse\n|label|-");
	g_assert_cmpstr(object_string(look(fixture), "secret.pw", ""), ==, "current");
	g_assert_cmpstr(fixture->world.ems.there.secrets[0].proof, !=, proof);
}

/* A secret that cannot be had: nothing is done with an NF that needs it, and nothing is known of whether it has the right one. */
static void test_missing(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const struct object *got = NULL;
	g_assert_true(act(fixture, &got, NULL));
	fixture->world.password = NULL;
	const struct object *seen = look(fixture);
	g_assert_cmpint(object_value(seen, "secret.pw")->type, ==, VALUE_UNKNOWN);
	g_assert_nonnull(strstr(object_string(seen, "reason", ""), "this controller has no secret \"pw\""));
	g_assert_false(act(fixture, &got, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_assert_cmpuint(fixture->world.ems.ensured, ==, 1);
}

/* The software's own words may repeat what it was given. */
static void test_failure(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const struct object *got = NULL;
	fixture->world.ems.fails = true;
	g_assert_false(act(fixture, &got, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_cmpstr(error->message, ==, "check: exit 1: auth ***\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/kind/nf/secrets/filled", struct fixture, NULL, set_up, test_filled, tear_down);
	g_test_add("/kind/nf/secrets/changed", struct fixture, NULL, set_up, test_changed, tear_down);
	g_test_add("/kind/nf/secrets/missing", struct fixture, NULL, set_up, test_missing, tear_down);
	g_test_add("/kind/nf/secrets/failure", struct fixture, NULL, set_up, test_failure, tear_down);
	return g_test_run();
}

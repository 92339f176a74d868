#include "lab.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/cycle.h"
#include "daemon/watches.h"
#include "http/client/client.h"
#include "registry.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

enum { STEP_TIMEOUT_S = 120, TEXT_MAX = 64 * 1024 * 1024 };

static const char vnfd[] =
	"tosca_definitions_version: tosca_simple_yaml_1_3\n"
	"imports: [ pleach_types.yaml ]\n"
	"node_types:\n"
	"  bench.nodes.Micro: { derived_from: tosca.nodes.nfv.VNF }\n"
	"topology_template:\n"
	"  substitution_mappings: { node_type: bench.nodes.Micro, requirements: { virtual_link: [ port, virtual_link ] } }\n"
	"  node_templates:\n"
	"    vnf:\n"
	"      type: bench.nodes.Micro\n"
	"      properties: { descriptor_id: 1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a002, descriptor_version: '1.0', provider: me,\n"
	"        product_name: micro, software_version: '1.0', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one }\n"
	"    vdu:\n"
	"      type: tosca.nodes.nfv.Vdu.Compute\n"
	"      properties: { name: micro, description: small, vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 1 } }\n"
	"      capabilities:\n"
	"        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 }, virtual_memory: { virtual_mem_size: 16 MiB } } }\n"
	"    port:\n"
	"      type: tosca.nodes.nfv.VduCp\n"
	"      properties: { layer_protocols: [ ipv4 ] }\n"
	"      requirements: [ virtual_binding: vdu ]\n";

static const char nf[] =
	"    nf:\n"
	"      type: pleach.nodes.NetworkFunction\n"
	"      properties: { command: [ haproxy, -q, -db, -f, /etc/haproxy.cfg ] }\n"
	"      requirements: [ host: vdu ]\n"
	"      artifacts: { config: { type: tosca.artifacts.File, file: haproxy.cfg, deploy_path: /etc/haproxy.cfg } }\n";

struct lab {
	char *folder, *repository, *owner;
	GStrv commits;
	size_t before; /* services that the first commit has, each in a file of its own; 0: it is as the others */
	size_t per_commit;
	bool with_nf;
	struct store *store;
	struct cycle *cycle;
	struct watches *watches;
	struct source_watch *source;
	guint source_event;
	GMainLoop *loop;
	gint64 pushed_us, seen_us;
	const char *wanted; /* commit */
	bool timed_out;
};

/* --- the repository --------------------------------------------------------------------------------------------------------- */

static void add_blob(GString *stream, const char *path, const char *text)
{
	g_string_append_printf(stream, "M 644 inline %s\ndata %zu\n%s\n", path, strlen(text), text);
}

static void add_services(GString *stream, size_t file, size_t first, size_t n)
{
	g_autoptr(GString) services = g_string_new("tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\n"
						   "topology_template:\n  node_templates:\n");
	for (size_t i = first; i < first + n; i++)
		g_string_append_printf(services, "    s%zu: { type: pleach.nodes.NetworkService, properties: { descriptor: /vnfd.yaml } }\n", i);
	g_autofree char *path = g_strdup_printf("services/%zu.yaml", file);
	add_blob(stream, path, services->str);
}

/* How many services there are with the first @i commits. */
static size_t count_services(const struct lab *lab, size_t i)
{
	return i && lab->before ? lab->before + (i - 1) * lab->per_commit : i * lab->per_commit;
}

static void add_commit(GString *stream, const struct lab *lab, size_t i)
{
	g_string_append_printf(stream, "commit refs/heads/prepared\nmark :%zu\ncommitter bench <bench@localhost> %zu +0000\ndata 5\nstep\n\n", i + 1,
			       1700000000 + i);
	if (i == 0) {
		g_autofree char *text = g_strconcat(vnfd, lab->with_nf ? nf : "", NULL);
		add_blob(stream, "vnfd.yaml", text);
	}
	if (i == 0 && lab->with_nf) {
		g_autofree char *config = g_strdup_printf(LAB_HAPROXY_FORMAT, 80);
		add_blob(stream, "haproxy.cfg", config);
	}
	size_t first = count_services(lab, i);
	for (size_t j = 0; i == 0 && j < lab->before; j++)
		add_services(stream, j, j, 1);
	if (i > 0 || !lab->before)
		add_services(stream, lab->before + i, first, lab->per_commit);
	g_string_append_c(stream, '\n');
}

static bool run(const char *command, GError **error)
{
	int status;
	const char *argv[] = { "sh", "-c", command, NULL };
	g_autofree char *err = NULL;
	if (!g_spawn_sync(NULL, (char **) (guintptr) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &err, &status,
			  error))
		return false;
	return g_spawn_check_wait_status(status, error);
}

static bool read_marks(struct lab *lab, size_t n, const char *path, GError **error)
{
	g_autofree char *text = file_read(path, TEXT_MAX, NULL, error);
	if (!text)
		return false;
	lab->commits = g_new0(char *, n + 1);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
	for (char **line = lines; *line; line++) {
		char *end;
		guint64 mark = g_ascii_strtoull(*line + 1, &end, 10);
		if (mark >= 1 && mark <= n)
			lab->commits[mark - 1] = g_strdup(end + 1);
	}
	return true;
}

static bool prepare(struct lab *lab, size_t n, GError **error)
{
	g_autoptr(GString) stream = g_string_new(NULL);
	for (size_t i = 0; i < n; i++)
		add_commit(stream, lab, i);
	g_autofree char *input = g_build_filename(lab->folder, "stream", NULL);
	g_autofree char *marks = g_build_filename(lab->folder, "marks", NULL);
	g_autofree char *command = g_strdup_printf("git init -q --bare -b main %s && git --git-dir=%s fast-import --quiet --export-marks=%s <%s",
						   lab->repository, lab->repository, marks, input);
	return file_write(input, stream->str, stream->len, 0600, error) && run(command, error) && read_marks(lab, n, marks, error);
}

/* --- the loop --------------------------------------------------------------------------------------------------------------- */

static gboolean check(gpointer data)
{
	struct lab *lab = data;
	const struct cycle_view *now = cycle_view(lab->cycle);
	if (lab->wanted && now->revision && g_str_equal(snapshot_revision(now->revision->snapshot), lab->wanted) &&
	    cycle_is_at_rest(lab->cycle) && now->verdict == CYCLE_CONVERGED)
		g_main_loop_quit(lab->loop);
	return G_SOURCE_REMOVE;
}

static void changed(void *data)
{
	struct lab *lab = data;
	if (!lab->watches)
		return;
	watches_refresh(lab->watches);
	g_idle_add_full(G_PRIORITY_DEFAULT, check, lab, NULL);
}

static gboolean pushed(int fd, GIOCondition condition, gpointer data)
{
	struct lab *lab = data;
	g_autofree char *commit = NULL;
	if (!source_watch_read(lab->source, &commit) || !commit)
		return G_SOURCE_CONTINUE;
	lab->seen_us = clock_monotonic_us();
	cycle_load(lab->cycle);
	return G_SOURCE_CONTINUE;
}

static gboolean time_is_over(gpointer data)
{
	struct lab *lab = data;
	lab->timed_out = true;
	g_main_loop_quit(lab->loop);
	return G_SOURCE_REMOVE;
}

static bool start(struct lab *lab, GError **error)
{
	/* Of its own, so that what a killed run left behind is in nobody's way. */
	static unsigned n_labs;
	lab->owner = g_strdup_printf("bench-%d-%u", (int) getpid(), ++n_labs);
	g_autofree char *state = g_build_filename(lab->folder, "state", NULL);
	if (!file_make_folder(state, 0700, error) || !(lab->store = store_open(state, error)))
		return false;
	const struct cycle_options options = {
		.registry = &registry,
		.store = lab->store,
		.source = { .path = lab->repository, .revision = "main", .owner = lab->owner },
		.changed = changed,
		.data = lab,
	};
	lab->source = source_watch_new(lab->repository, "main", error);
	lab->cycle = lab->source ? cycle_new(&options, error) : NULL;
	if (!lab->cycle)
		return false;
	lab->watches = watches_new(lab->cycle);
	/* The first reading tells where the branch is: nowhere yet. */
	g_autofree char *commit = NULL;
	source_watch_read(lab->source, &commit);
	lab->source_event = g_unix_fd_add(source_watch_fd(lab->source), G_IO_IN, pushed, lab);
	return true;
}

static struct lab *make(size_t before, size_t n_commits, size_t per_commit, bool with_nf, GError **error)
{
	auto_ptr(lab) lab = g_new0(struct lab, 1);
	log_init(LOG_LEVEL_ERROR, false);
	lab->loop = g_main_loop_new(NULL, FALSE);
	lab->before = before;
	lab->per_commit = per_commit;
	lab->with_nf = with_nf;
	lab->folder = g_dir_make_tmp("plb.XXXXXX", error);
	if (!lab->folder)
		return NULL;
	lab->repository = g_build_filename(lab->folder, "network.git", NULL);
	g_autofree char *runtime = g_build_filename(lab->folder, "run", NULL);
	g_setenv("PLEACH_RUNTIME_DIR", runtime, TRUE);
	if (!prepare(lab, n_commits, error) || !start(lab, error))
		return NULL;
	return g_steal_pointer(&lab);
}

struct lab *lab_new(size_t n_commits, size_t per_commit, GError **error)
{
	return make(0, n_commits, per_commit, false, error);
}

struct lab *lab_new_grown(size_t before, size_t n_commits, GError **error)
{
	return make(before, n_commits, 1, false, error);
}

struct lab *lab_new_nf(GError **error)
{
	return make(0, 1, 1, true, error);
}

struct cycle *lab_cycle(const struct lab *lab)
{
	return lab->cycle;
}

static void clean_site(struct lab *lab)
{
	const struct cycle_view *now = cycle_view(lab->cycle);
	for (size_t i = 0; now->network && i < now->network->n_sites; i++) {
		const struct vim_ops *ops;
		struct vim *vim = drivers_lookup(now->drivers)->vim(drivers_lookup(now->drivers), now->network->sites[i]->name, &ops, NULL);
		const struct call call = { .deadline_us = clock_monotonic_us() + STEP_TIMEOUT_S * G_USEC_PER_SEC, .cancel_fd = -1 };
		g_autoptr(GError) error = NULL;
		if (vim && !ops->clean(vim, &call, &error))
			g_printerr("pleach-bench: %s\n", error->message);
	}
}

void lab_free(struct lab *lab)
{
	if (lab->cycle) {
		cycle_stop(lab->cycle);
		while (cycle_view(lab->cycle)->phase != CYCLE_IDLE)
			g_main_context_iteration(NULL, TRUE);
		clean_site(lab);
	}
	g_clear_handle_id(&lab->source_event, g_source_remove);
	g_clear_pointer(&lab->watches, watches_free);
	g_clear_pointer(&lab->cycle, cycle_free);
	g_clear_pointer(&lab->source, source_watch_free);
	g_clear_pointer(&lab->store, store_close);
	while (g_idle_remove_by_data(lab)) {
	}
	g_main_loop_unref(lab->loop);
	if (lab->folder)
		file_remove_tree(lab->folder, NULL);
	g_strfreev(lab->commits);
	g_free(lab->repository);
	g_free(lab->owner);
	g_free(lab->folder);
	g_free(lab);
}

/* --- a step ----------------------------------------------------------------------------------------------------------------- */

/* The last of the new VNFs answers a request. */
static bool ask_agent(const struct lab *lab, size_t i, GError **error)
{
	g_autofree char *key = g_strdup_printf("vnfc/s%zu.vdu.0", count_services(lab, i + 1) - 1);
	const struct access *access = observed_access(cycle_view(lab->cycle)->observed, key);
	if (!access) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "nobody knows how to reach %s", key);
		return false;
	}
	g_autofree char *endpoint = g_strconcat("unix:", access->address, NULL);
	auto_ptr(http_client) client = http_client_new(endpoint, error);
	const struct http_call call = { .path = "/v1/status", .cancel_fd = -1 };
	auto_http_reply reply = { 0 };
	return client && http_client_call(client, &call, &reply, error) && http_reply_is_good(&reply, &call, error);
}

bool lab_step(struct lab *lab, size_t i, double *ret_seen_ms, double *ret_answered_ms, GError **error)
{
	g_autofree char *ref = g_build_filename(lab->repository, "refs/heads/main", NULL);
	g_autofree char *line = g_strconcat(lab->commits[i], "\n", NULL);
	guint timer = g_timeout_add_seconds(STEP_TIMEOUT_S, time_is_over, lab);
	lab->wanted = lab->commits[i];
	lab->pushed_us = clock_monotonic_us();
	if (!file_write(ref, line, strlen(line), 0644, error))
		return false;
	g_main_loop_run(lab->loop);
	if (lab->timed_out) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "commit %zu did not converge in %d s", i, STEP_TIMEOUT_S);
		return false;
	}
	g_source_remove(timer);
	if (!ask_agent(lab, i, error))
		return false;
	gint64 answered_us = clock_monotonic_us();
	*ret_seen_ms = (double) (lab->seen_us - lab->pushed_us) / 1000;
	*ret_answered_ms = (double) (answered_us - lab->seen_us) / 1000;
	return true;
}

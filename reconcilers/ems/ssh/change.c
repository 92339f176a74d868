/* From what is to what is wanted, as contract/ems.h says it: differ() finds out what changed, apply() does it, take_back() undoes it.
 *
 * On the far side "dirty" is set before the first step that disturbs what is in force, and taken away with the last: what is cut off
 * between the two is seen as failed, and done again from the beginning. */
#include "ems/ssh/private.h"

#include <string.h>

struct change {
	struct ems *ems;
	struct wire *wire;
	const struct call *call;
	const struct nf *want;
	const struct package *package;
	struct there there;
	const struct nf *former; /* what can be gone back to, or NULL */
	bool running;            /* before the change */
	bool full;               /* all of it: nothing there, another package, or what is there is not known */
	bool files, restart, reload, command; /* what differs, and what it asks for */
	bool dirty, created, placed, moved; /* what has been done: moved: its process was stopped, started or reloaded */
};

/* --- what differs --------------------------------------------------------------------------------------------------------------- */

static bool same_operation(const struct nf_operation *a, const struct nf_operation *b)
{
	if (g_strcmp0(a->script, b->script) || a->n_inputs != b->n_inputs)
		return false;
	for (size_t i = 0; i < a->n_inputs; i++) {
		const struct nf_input *x = &a->inputs[i], *y = &b->inputs[i];
		if (strcmp(x->name, y->name) || g_strcmp0(x->secret, y->secret) || (!x->secret && g_strcmp0(x->value, y->value)))
			return false;
	}
	return true;
}

static bool same_operations(const struct nf *a, const struct nf *b)
{
	for (unsigned i = 0; i < NF_N_VERBS; i++)
		if (!same_operation(&a->operations[i], &b->operations[i]))
			return false;
	return true;
}

static bool same_secrets(const struct nf *a, const struct nf *b)
{
	if (a->n_secrets != b->n_secrets)
		return false;
	for (size_t i = 0; i < a->n_secrets; i++)
		if (strcmp(a->secrets[i].name, b->secrets[i].name) || g_strcmp0(a->secrets[i].proof, b->secrets[i].proof))
			return false;
	return true;
}

static bool same_command(const struct nf *a, const struct nf *b)
{
	bool same = a->n_command == b->n_command;
	for (size_t i = 0; same && i < a->n_command; i++)
		same = !strcmp(a->command[i], b->command[i]);
	return same;
}

static const struct nf_file *file_at(const struct nf *nf, const char *path)
{
	for (size_t i = 0; i < nf->n_files; i++)
		if (!strcmp(nf->files[i].path, path))
			return &nf->files[i];
	return NULL;
}

static bool same_file(const struct nf_file *want, const struct nf_file *there)
{
	g_autofree char *digest = want->label ? NULL : g_compute_checksum_for_string(G_CHECKSUM_SHA256, want->content ? want->content : "", -1);
	return there && there->digest && !strcmp(there->digest, want->label ? want->label : digest) && !g_strcmp0(there->mode, want->mode) &&
	       !g_strcmp0(there->label, want->label);
}

static void asks(struct change *change, enum nf_on_change what)
{
	change->files = true;
	change->restart = change->restart || what == NF_RESTART;
	change->reload = change->reload || what == NF_RELOAD;
}

static void differ_files(struct change *change, bool new_secrets)
{
	const struct nf *want = change->want, *had = change->there.nf;
	for (size_t i = 0; i < want->n_files; i++) {
		const struct nf_file *file = &want->files[i];
		if (!same_file(file, file_at(had, file->path)) || (file->label && new_secrets))
			asks(change, file->on_change);
	}
	for (size_t i = 0; i < had->n_files; i++)
		if (!file_at(want, had->files[i].path))
			asks(change, had->files[i].on_change);
	if (new_secrets || !same_operations(want, had))
		asks(change, NF_RELOAD);
}

static void differ(struct change *change)
{
	const struct nf *want = change->want, *had = change->there.nf;
	change->former = change->there.good ? had : NULL;
	change->running = had && had->state == NF_STARTED;
	if (had && had->n_command)
		change->running = change->there.pid != 0;
	change->full = !change->former || change->there.dirty || g_strcmp0(want->package, had->package);
	if (!change->full) {
		differ_files(change, !same_secrets(want, had));
		change->command = !same_command(want, had);
	}
}

/* --- steps ------------------------------------------------------------------------------------------------------------------------ */

static bool ask(struct change *change, const char *input, const char *verb, const char *argument, GError **error)
{
	g_autofree char *text = hand_ask(change->ems, change->wire, change->call, input, error, verb, argument, NULL);
	return text != NULL;
}

static bool must(struct change *change, const struct nf *nf, enum nf_verb verb, const char *which, GError **error)
{
	return operation_must(change->ems, change->wire, change->call, nf, verb, which, error);
}

static bool send_package(struct change *change, GError **error)
{
	const struct package *package = change->package;
	if (!package)
		return true;
	g_autofree char *has = hand_ask(change->ems, change->wire, change->call, NULL, error, "has", package->digest, NULL);
	if (!has || g_str_has_prefix(has, "yes"))
		return has != NULL;
	auto_ptr(arena) arena = arena_new();
	struct upload *uploads = ARENA_ARRAY(arena, struct upload, package->n_files + 1);
	for (size_t i = 0; i < package->n_files; i++) {
		gsize length = 0;
		uploads[i].bytes = g_bytes_get_data(package->files[i].bytes, &length);
		uploads[i].length = length;
		uploads[i].name = arena_printf(arena, "p%zu", i);
	}
	g_autofree char *manifest = package_manifest(package->files, package->n_files);
	g_autofree char *input = g_strconcat(manifest, ".\n", NULL);
	return hand_upload(change->ems, change->wire, change->call, uploads, package->n_files, error) &&
	       ask(change, input, "package", package->digest, error);
}

static GString *inputs_text(const struct nf_operation *operation)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < operation->n_inputs; i++) {
		g_string_append_printf(text, "%s=", operation->inputs[i].name);
		hand_escape(text, operation->inputs[i].value ? operation->inputs[i].value : "");
	}
	return g_string_append(text, ".\n");
}

static void wipe(GString *text)
{
	explicit_bzero(text->str, text->len);
	g_string_free(text, TRUE);
}

/* All files and inputs, though only one may differ: what is tried is tried whole, and what is kept is kept whole. */
static bool send_configuration(struct change *change, GError **error)
{
	const struct nf *want = change->want;
	auto_ptr(arena) arena = arena_new();
	struct upload *uploads = ARENA_ARRAY(arena, struct upload, want->n_files + NF_N_VERBS);
	GString *inputs[NF_N_VERBS] = { NULL };
	g_autoptr(GString) list = g_string_new(NULL);
	size_t n = 0;
	for (size_t i = 0; i < want->n_files; i++) {
		const char *content = want->files[i].content ? want->files[i].content : "";
		g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, content, -1);
		uploads[n++] = (struct upload) { arena_printf(arena, "f%zu", i), content, strlen(content) };
		g_string_append_printf(list, "F %s %s %s\n", want->files[i].mode, digest, want->files[i].path);
	}
	for (unsigned verb = 0; verb < NF_N_VERBS; verb++) {
		const char *name = nf_verb_name((enum nf_verb) verb);
		if (!want->operations[verb].n_inputs)
			continue;
		inputs[verb] = inputs_text(&want->operations[verb]);
		uploads[n++] = (struct upload) { arena_printf(arena, "i%s", name), inputs[verb]->str, inputs[verb]->len };
		g_string_append_printf(list, "I %s\n", name);
	}
	g_string_append(list, ".\n");
	bool good = hand_upload(change->ems, change->wire, change->call, uploads, n, error) && ask(change, list->str, "new", NULL, error);
	for (unsigned verb = 0; verb < NF_N_VERBS; verb++)
		if (inputs[verb])
			wipe(inputs[verb]);
	return good;
}

/* The files of @nf in their places, those of @other that it does not have away. */
static bool place(struct change *change, const struct nf *nf, const struct nf *other, const char *which, GError **error)
{
	g_autoptr(GString) list = g_string_new(NULL);
	for (size_t i = 0; other && i < other->n_files; i++)
		if (!file_at(nf, other->files[i].path))
			g_string_append_printf(list, "- %s\n", other->files[i].path);
	for (size_t i = 0; i < nf->n_files; i++)
		g_string_append_printf(list, "+ %s %s\n", nf->files[i].mode, nf->files[i].path);
	g_string_append(list, ".\n");
	return ask(change, list->str, "place", which, error);
}

static bool begin(struct change *change, GError **error)
{
	change->dirty = ask(change, NULL, "begin", NULL, error);
	return change->dirty;
}

static bool stop(struct change *change, const struct nf *nf, const char *which, GError **error)
{
	change->moved = true;
	return process_stop(change->ems, change->wire, change->call, error) && must(change, nf, NF_STOP, which, error);
}

static bool start(struct change *change, const struct nf *nf, const char *which, GError **error)
{
	change->moved = true;
	health_forget(change->ems, nf->key);
	if (!must(change, nf, NF_START, which, error))
		return false;
	if (nf->n_command)
		return process_start(change->ems, change->wire, change->call, nf, error);
	return must(change, nf, NF_STATUS, which, error);
}

/* Whether there is anything that stopping and starting would do. */
static bool has_life(const struct nf *nf)
{
	return nf->n_command || nf->operations[NF_START].script;
}

static bool restart(struct change *change, const struct nf *from, const char *which_from, const struct nf *to, const char *which, GError **error)
{
	return stop(change, from, which_from, error) && start(change, to, which, error);
}

static bool is_healthy(struct change *change, const struct nf *nf, const char *which, GError **error)
{
	return health_wait(change->ems, change->wire, change->call, nf, which, error);
}

/* --- doing it ---------------------------------------------------------------------------------------------------------------------- */

static bool configure(struct change *change, GError **error)
{
	if (!change->full && !change->files)
		return true;
	if (change->full && !must(change, change->want, NF_VERB_CHECK, "new", error))
		return false;
	change->placed = true;
	return place(change, change->want, change->there.nf, "new", error) && must(change, change->want, NF_CONFIGURE, "new", error);
}

static bool move(struct change *change, GError **error)
{
	const struct nf *want = change->want;
	if (want->state == NF_STOPPED)
		return !change->running || change->full || stop(change, change->there.nf, "kept", error);
	if (change->full || !change->running)
		return start(change, want, "new", error);
	if (change->restart || change->command)
		return !has_life(want) || restart(change, change->there.nf, "kept", want, "new", error);
	if (!change->reload)
		return true;
	if (!want->operations[NF_VERB_RELOAD].script)
		return !has_life(want) || restart(change, change->there.nf, "kept", want, "new", error);
	change->moved = true;
	return must(change, want, NF_VERB_RELOAD, "new", error);
}

static bool install(struct change *change, GError **error)
{
	const struct nf *had = change->there.nf;
	if (!change->full)
		return true;
	if (had && (change->running || change->there.pid) && !stop(change, had, "kept", error))
		return false;
	change->created = true;
	return must(change, change->want, NF_CREATE, "new", error);
}

/* As it was asked to be, and not well: started once more before it is given up. */
static bool heal(struct change *change, GError **error)
{
	g_autoptr(GError) fault = NULL;
	const struct nf *want = change->want;
	bool sick = !change->moved && change->there.nf && change->there.nf->health == NF_UNHEALTHY;
	if (!sick && is_healthy(change, want, "new", &fault))
		return true;
	if (fault && (change->moved || !has_life(want) || pleach_error_code(fault) != PLEACH_ERROR_PERMANENT)) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	return restart(change, want, "kept", want, "new", error) && is_healthy(change, want, "new", error);
}

static bool finish(struct change *change, bool good, const char *trouble, GError **error)
{
	g_autofree char *manifest = manifest_write(change->want, good, trouble);
	if (!manifest)
		return pleach_error_invalid(error, "what is wanted is not all UTF-8");
	if (strlen(manifest) > SSH_MANIFEST_MAX_BYTES)
		return pleach_error_invalid(error, "what is wanted takes more than %d bytes", SSH_MANIFEST_MAX_BYTES);
	const char *json = *manifest == '{' ? manifest : strstr(manifest, "\n{") + 1; /* after the lines of the files */
	bool same = change->there.json && !change->full && !change->files && !change->dirty && good &&
		    strlen(json) == strlen(change->there.json) + 1 && g_str_has_prefix(json, change->there.json);
	if (same)
		return true;
	g_autofree char *text = hand_ask(change->ems, change->wire, change->call, manifest, error, "finish",
					 change->want->package ? change->want->package : "-", change->full || change->files ? "yes" : "no", NULL);
	return text != NULL;
}

static bool apply(struct change *change, GError **error)
{
	if ((change->full || change->files || change->command) && !begin(change, error))
		return false;
	return install(change, error) && configure(change, error) && move(change, error) &&
	       (change->want->state == NF_STOPPED || heal(change, error));
}

/* --- undoing it --------------------------------------------------------------------------------------------------------------------- */

/* The process of the former, as it was. */
static bool revive(struct change *change, GError **error)
{
	const struct nf *former = change->former, *want = change->want;
	bool lives = change->running && !change->full && !change->command && !change->restart;
	if (!change->moved)
		return true;
	if (lives && former->operations[NF_VERB_RELOAD].script)
		return must(change, former, NF_VERB_RELOAD, "kept", error);
	if (!has_life(want) && !has_life(former))
		return true;
	g_autoptr(GError) ignored = NULL; /* of what failed anyway; that its process is gone is seen by the next step */
	if (!process_stop(change->ems, change->wire, change->call, error))
		return false;
	must(change, want, NF_STOP, "new", &ignored);
	return !change->running || (start(change, former, "kept", error) && is_healthy(change, former, "kept", error));
}

static bool undo(struct change *change, GError **error)
{
	const struct nf *former = change->former;
	if (change->created && !must(change, former, NF_CREATE, "kept", error))
		return false;
	if ((change->placed || change->there.dirty) &&
	    (!place(change, former, change->want, "kept", error) || !must(change, former, NF_CONFIGURE, "kept", error)))
		return false;
	return revive(change, error) && ask(change, NULL, "settled", NULL, error);
}

static bool take_back(struct change *change, GError *fault, GError **error)
{
	g_autoptr(GError) second = NULL;
	if (!change->former) {
		/* The message may hold what the software said; it stays with the NF. */
		if (!finish(change, false, fault->message, &second))
			g_prefix_error(&fault, "%s; ", second->message);
		g_propagate_error(error, fault);
		return false;
	}
	/* What a crash cut off had been running; what was stopped on purpose stays so. */
	if (change->there.dirty)
		change->running = change->former->state == NF_STARTED;
	if (undo(change, &second)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s; taken back: the former is in force", fault->message);
	} else {
		g_set_error(error, PLEACH_ERROR, (int) pleach_error_code(second), "%s; and the former could not be put back: %s", fault->message,
			    second->message);
	}
	g_error_free(fault);
	return false;
}

/* --- whole -------------------------------------------------------------------------------------------------------------------------- */

static bool is_text(const char *text, size_t max)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if ((guchar) text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return n > 0 && n <= max;
}

static bool check_operation(const struct nf *want, unsigned verb, GError **error)
{
	const struct nf_operation *operation = &want->operations[verb];
	if (operation->script && (!package_path_is_good(operation->script) || !want->package))
		return pleach_error_invalid(error, "%s: operation %s: there is no \"%s\" in its package", want->key,
					    nf_verb_name((enum nf_verb) verb), operation->script);
	for (size_t i = 0; i < operation->n_inputs; i++)
		if (!nf_input_name_is_good(operation->inputs[i].name))
			return pleach_error_invalid(error, "%s: \"%s\" is no name of a variable", want->key, operation->inputs[i].name);
	return true;
}

static bool check_want(const struct nf *want, const struct package *package, GError **error)
{
	if (want->state != NF_STARTED && want->state != NF_STOPPED)
		return pleach_error_invalid(error, "%s: only \"started\" and \"stopped\" can be wanted", want->key);
	if (g_strcmp0(want->package, package ? package->digest : NULL))
		return pleach_error_invalid(error, "%s: the package is not the one that it names", want->key);
	for (size_t i = 0; i < want->n_files; i++) {
		const struct nf_file *file = &want->files[i];
		if (!g_path_is_absolute(file->path) || !is_text(file->path, SSH_TEXT_MAX_BYTES) || g_str_has_suffix(file->path, "/") ||
		    strlen(file->mode) != 4 || strspn(file->mode, "01234567") != 4)
			return pleach_error_invalid(error, "%s: file %s: %s with mode %s cannot be put", want->key, file->name, file->path,
						    file->mode);
	}
	for (unsigned verb = 0; verb < NF_N_VERBS; verb++)
		if (!check_operation(want, verb, error))
			return false;
	return true;
}

static bool prepare(struct change *change, GError **error)
{
	if (!change->full && !change->files)
		return true;
	if (!ask(change, NULL, "stage", NULL, error) || !send_package(change, error) || !send_configuration(change, error))
		return false;
	/* Before anything is touched; a whole change checks what create has made. */
	return change->full || must(change, change->want, NF_VERB_CHECK, "new", error);
}

bool change_ensure(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *want, const struct package *package,
		   GError **error)
{
	struct change change = { .ems = ems, .wire = wire, .call = call, .want = want, .package = package };
	auto_ptr(arena) arena = arena_new();
	if (!check_want(want, package, error) || !look(ems, wire, call, arena, &change.there, error))
		return false;
	struct nf *had = change.there.nf;
	if (had && strcmp(had->key, want->key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is there already, not %s", had->key, want->key);
		return false;
	}
	/* Before look_state() says what became of it, the manifest says what was asked for: that is what is gone back to. */
	struct nf *asked = had ? arena_memdup(arena, had, sizeof(*had)) : NULL;
	if (had && !look_state(ems, wire, call, arena, &change.there, error))
		return false;
	differ(&change);
	if (change.former)
		change.former = asked;
	if (!prepare(&change, error))
		return false;
	g_autoptr(GError) fault = NULL;
	if (apply(&change, &fault))
		return finish(&change, true, NULL, error);
	if (pleach_error_code(fault) == PLEACH_ERROR_PERMANENT)
		return take_back(&change, g_steal_pointer(&fault), error);
	g_propagate_error(error, g_steal_pointer(&fault));
	return false;
}

bool change_is_seen(const struct nf *want, const struct there *there, GError **error)
{
	const struct nf *seen = there->nf;
	const char *differs = NULL;
	if (!seen || strcmp(seen->key, want->key) != 0)
		differs = "it has none";
	else if (seen->state != want->state)
		differs = seen->reason ? seen->reason : "it is in another state";
	else if (g_strcmp0(seen->package, want->package) || !same_command(seen, want))
		differs = "it has another package or command";
	for (size_t i = 0; !differs && i < want->n_files; i++)
		if (!same_file(&want->files[i], file_at(seen, want->files[i].path)))
			differs = want->files[i].path;
	if (differs)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "it took %s, and then it was not so: %s", want->key, differs);
	return !differs;
}

bool change_remove(struct ems *ems, struct wire *wire, const struct call *call, const char *nf_key, GError **error)
{
	struct change change = { .ems = ems, .wire = wire, .call = call };
	static const struct nf nothing = { .key = "" };
	auto_ptr(arena) arena = arena_new();
	if (!look(ems, wire, call, arena, &change.there, error))
		return false;
	const struct nf *had = change.there.nf;
	if (had && strcmp(had->key, nf_key) != 0)
		return true;
	bool stopped = !had || ((had->state == NF_STOPPED && !change.there.pid) || stop(&change, had, "kept", error));
	if (!stopped || (had && (!must(&change, had, NF_DELETE, "kept", error) || !place(&change, &nothing, had, "kept", error))))
		return false;
	bool good = ask(&change, NULL, "remove", NULL, error);
	wire->broken = true; /* our script is gone, too */
	return good;
}

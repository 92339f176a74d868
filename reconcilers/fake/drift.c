#include "fake/private.h"

#include "model/key.h"

#include <string.h>

typedef bool (*alter_fn)(struct fake_world *world, struct thing *thing, const void *how);

static bool alter(struct fake_world *world, const char *site, const char *key, alter_fn fn, const void *how)
{
	pthread_mutex_lock(&world->mutex);
	struct thing *thing = world_current(world, site, key);
	bool done = thing && fn(world, thing, how);
	if (done)
		world_changed(world, site, key);
	pthread_mutex_unlock(&world->mutex);
	return done;
}

static bool kill_it(struct fake_world *world, struct thing *thing, const void *how)
{
	if (!thing->vnfc || thing->vnfc->state != VNFC_RUNNING)
		return false;
	thing->vnfc->state = VNFC_FAILED;
	thing->vnfc->pid = 0;
	thing->vnfc->exit = arena_strdup(thing->arena, how);
	thing_set_nf(thing, NULL);
	return true;
}

bool fake_world_kill_vnfc(struct fake_world *world, const char *site, const char *key, const char *exit)
{
	return alter(world, site, key, kill_it, exit);
}

static bool lose_it(struct fake_world *world, struct thing *thing, const void *how)
{
	world_drop(world, thing);
	return true;
}

bool fake_world_lose_vnfc(struct fake_world *world, const char *site, const char *key)
{
	return alter(world, site, key, lose_it, NULL);
}

struct cp_how {
	const char *cp, *address;
	unsigned mtu;
	bool deletes;
};

static bool alter_cp(struct fake_world *world, struct thing *thing, const void *data)
{
	const struct cp_how *how = data;
	struct vnfc *vnfc = thing->vnfc;
	for (size_t i = 0; vnfc && i < vnfc->n_cps; i++) {
		struct cp *cps = UNCONST(vnfc->cps);
		if (strcmp(cps[i].name, how->cp))
			continue;
		if (how->deletes) {
			memmove(&cps[i], &cps[i + 1], sizeof(*cps) * (vnfc->n_cps - i - 1));
			vnfc->n_cps--;
		} else if (how->address) {
			const char *copy = arena_strdup(thing->arena, how->address);
			cps[i].addresses = arena_memdup(thing->arena, &copy, sizeof(copy));
			cps[i].n_addresses = 1;
			const char *slash = cps[i].cidr ? strrchr(cps[i].cidr, '/') : NULL;
			if (slash)
				cps[i].cidr = network_text(thing->arena, copy, (unsigned) g_ascii_strtoull(slash + 1, NULL, 10));
		} else {
			cps[i].mtu = how->mtu;
		}
		return true;
	}
	return false;
}

bool fake_world_delete_cp(struct fake_world *world, const char *site, const char *key, const char *cp)
{
	return alter(world, site, key, alter_cp, &(struct cp_how) { .cp = cp, .deletes = true });
}

bool fake_world_set_address(struct fake_world *world, const char *site, const char *key, const char *cp, const char *address)
{
	return alter(world, site, key, alter_cp, &(struct cp_how) { .cp = cp, .address = address });
}

static bool alter_link_mtu(struct fake_world *world, struct thing *thing, const void *how)
{
	if (!thing->link)
		return false;
	thing->link->mtu = *(const unsigned *) how;
	return true;
}

bool fake_world_set_mtu(struct fake_world *world, const char *site, const char *key, const char *cp, unsigned mtu)
{
	if (!cp)
		return alter(world, site, key, alter_link_mtu, &mtu);
	return alter(world, site, key, alter_cp, &(struct cp_how) { .cp = cp, .mtu = mtu });
}

static bool alter_memory(struct fake_world *world, struct thing *thing, const void *how)
{
	if (!thing->vnfc)
		return false;
	thing->vnfc->mem_bytes = *(const gint64 *) how;
	return true;
}

bool fake_world_set_memory(struct fake_world *world, const char *site, const char *key, gint64 mem_bytes)
{
	return alter(world, site, key, alter_memory, &mem_bytes);
}

static bool delete_link(struct fake_world *world, struct thing *link, const void *how)
{
	if (!link->link)
		return false;
	for (guint i = 0; i < world->things->len; i++) {
		struct thing *thing = world->things->pdata[i];
		struct cp *cps = thing->vnfc ? UNCONST(thing->vnfc->cps) : NULL;
		if (strcmp(thing->site, link->site) || strcmp(thing->owner, link->owner))
			continue;
		for (size_t k = 0; thing->vnfc && k < thing->vnfc->n_cps; k++)
			if (!g_strcmp0(cps[k].link, link->key))
				cps[k].link = NULL;
	}
	world_drop(world, link);
	return true;
}

bool fake_world_delete_link(struct fake_world *world, const char *site, const char *key)
{
	return alter(world, site, key, delete_link, NULL);
}

struct nf_how {
	const char *key, *file, *content, *reason, *sick;
};

static bool alter_nf(struct fake_world *world, struct thing *thing, const void *data)
{
	const struct nf_how *how = data;
	if (!thing->nf || strcmp(thing->nf->nf.key, how->key))
		return false;
	struct nf *nf = &thing->nf->nf;
	if (how->sick) {
		nf->health = NF_UNHEALTHY;
		nf->reason = arena_strdup(thing->nf->arena, how->sick);
		return true;
	}
	if (how->reason) {
		nf->state = NF_FAILED;
		nf->pid = 0;
		nf->reason = arena_strdup(thing->nf->arena, how->reason);
		return true;
	}
	for (size_t i = 0; i < nf->n_files; i++) {
		struct nf_file *files = UNCONST(nf->files);
		if (strcmp(files[i].path, how->file))
			continue;
		/* An edited secret file shows what nobody can compute who has not the salt. */
		g_autofree char *salted = g_strconcat(files[i].label ? "salt " : "", how->content ? how->content : "", NULL);
		g_autofree char *digest = how->content ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, salted, -1) : NULL;
		files[i].content = arena_strdup(thing->nf->arena, how->content);
		files[i].digest = arena_strdup(thing->nf->arena, digest);
		return true;
	}
	return false;
}

static bool of_nf(struct fake_world *world, const char *site, struct nf_how how)
{
	auto_ptr(arena) arena = arena_new();
	return alter(world, site, key_of_kind(arena, how.key, "vnfc"), alter_nf, &how);
}

bool fake_world_write_file(struct fake_world *world, const char *site, const char *nf_key, const char *path, const char *content)
{
	return of_nf(world, site, (struct nf_how) { .key = nf_key, .file = path, .content = content });
}

char *fake_world_read_file(struct fake_world *world, const char *site, const char *nf_key, const char *path)
{
	auto_ptr(arena) arena = arena_new();
	char *content = NULL;
	pthread_mutex_lock(&world->mutex);
	const struct thing *thing = world_current(world, site, key_of_kind(arena, nf_key, "vnfc"));
	for (size_t i = 0; thing && thing->nf && i < thing->nf->nf.n_files; i++)
		if (!strcmp(thing->nf->nf.files[i].path, path))
			content = g_strdup(thing->nf->nf.files[i].content);
	pthread_mutex_unlock(&world->mutex);
	return content;
}

bool fake_world_fail_nf(struct fake_world *world, const char *site, const char *nf_key, const char *reason)
{
	return of_nf(world, site, (struct nf_how) { .key = nf_key, .reason = reason });
}

bool fake_world_sicken_nf(struct fake_world *world, const char *site, const char *nf_key, const char *reason)
{
	return of_nf(world, site, (struct nf_how) { .key = nf_key, .sick = reason });
}

void fake_world_refuse_package(struct fake_world *world, const char *digest, const char *reason)
{
	pthread_mutex_lock(&world->mutex);
	g_hash_table_replace(world->refused, g_strdup(digest), g_strdup(reason));
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_lack_program(struct fake_world *world, const char *program)
{
	pthread_mutex_lock(&world->mutex);
	g_hash_table_add(world->lacking, g_strdup(program));
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_add_stranger(struct fake_world *world, const char *site, const char *what, const char *place)
{
	struct stranger_thing *stranger = g_new0(struct stranger_thing, 1);
	stranger->site = g_strdup(site);
	stranger->what = g_strdup(what);
	stranger->place = g_strdup(place);
	pthread_mutex_lock(&world->mutex);
	g_ptr_array_add(world->strangers, stranger);
	world_changed(world, site, NULL);
	pthread_mutex_unlock(&world->mutex);
}

void fake_world_drop_strangers(struct fake_world *world)
{
	pthread_mutex_lock(&world->mutex);
	g_ptr_array_set_size(world->strangers, 0);
	pthread_mutex_unlock(&world->mutex);
}

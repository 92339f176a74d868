#include "contract/reconciler.h"
#include "model/key.h"

#include <stdint.h>
#include <string.h>

const char *act_name(enum act act)
{
	static const char *const names[] = { [ACT_CREATE] = "create", [ACT_CHANGE] = "change", [ACT_REMOVE] = "remove" };
	return names[act];
}

bool look_has(const struct look *look, const char *key)
{
	return !look->keys || keys_have(look->keys, look->n_keys, key);
}

void look_add(GPtrArray *ret, const struct object *object)
{
	g_ptr_array_add(ret, (gpointer) (uintptr_t) object);
}

/* True where @name is the kind itself ("vnfc") or a key of it ("vnfc/edge.web.vdu.0"). */
static bool is_of_kind(const char *name, const struct kind *kind)
{
	size_t length = strlen(kind->name);
	return strncmp(name, kind->name, length) == 0 && (name[length] == '\0' || name[length] == '/');
}

const struct kind_ops *registry_kind(const struct registry *registry, const char *key_or_kind)
{
	for (size_t i = 0; i < registry->n_kinds; i++)
		if (is_of_kind(key_or_kind, registry->kinds[i]->kind))
			return registry->kinds[i];
	return NULL;
}

const struct vim_ops *registry_vim(const struct registry *registry, const char *driver)
{
	for (size_t i = 0; i < registry->n_vims; i++)
		if (strcmp(registry->vims[i]->name, driver) == 0)
			return registry->vims[i];
	return NULL;
}

const struct ems_ops *registry_ems(const struct registry *registry, const char *driver)
{
	for (size_t i = 0; i < registry->n_emss; i++)
		if (strcmp(registry->emss[i]->name, driver) == 0)
			return registry->emss[i];
	return NULL;
}

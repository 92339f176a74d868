#include "tosca/internal.h"

#include <string.h>

/* --- by path or id ------------------------------------------------------------------------------------------------- */

static const struct ttemplate *by_path(const struct tosca *tosca, const char *descriptor, struct arena *scratch)
{
	const char *path = strlen(descriptor) <= SOURCE_MAX_PATH ? path_resolve(scratch, "", descriptor) : NULL;
	const struct template *template = path ? template_at(tosca, path) : NULL;
	if (!template && path) {
		auto_ptr(diags) ignored = diags_new();
		const char *entry = csar_entry(tosca->snapshot, scratch, path, ignored);
		template = entry ? template_at(tosca, entry) : NULL;
	}
	return template ? &template->public : NULL;
}

static void not_found(const struct tosca *tosca, const char *descriptor, struct origin from, struct diags *diags)
{
	auto_ptr(arena) scratch = arena_new();
	const char *path = strlen(descriptor) <= SOURCE_MAX_PATH ? path_resolve(scratch, "", descriptor) : NULL;
	if (path && *path && snapshot_find(tosca->snapshot, path)) {
		struct diag *diag = diags_error(diags, "not-a-descriptor", from,
						"\"%s\" is not a TOSCA file with a topology_template", descriptor);
		diag_hint(diags, diag, "name the file of an NSD or VNFD, or the folder of a package");
		return;
	}
	struct diag *diag = diags_error(diags, "unknown-descriptor", from,
					"there is no descriptor \"%s\": neither a file nor a descriptor_id",
					text_shown(scratch, descriptor));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < tosca->templates->len; i++) {
		const struct template *template = tosca->templates->pdata[i];
		g_ptr_array_add(names, *descriptor == '/' ? arena_printf(scratch, "/%s", template->public.file)
							  : (gpointer) (guintptr) template->public.file);
		if (template->public.descriptor_id)
			g_ptr_array_add(names, (gpointer) (guintptr) template->public.descriptor_id);
	}
	const char *near = diag_did_you_mean(descriptor, (const char *const *) names->pdata, names->len);
	if (near)
		diag_hint(diags, diag, "did you mean \"%s\"?", near);
	else
		diag_hint(diags, diag, "write its path from the root of the repository");
}

/* Of several with one id (the flavours of a VNF), the one that imports the others is the whole. */
static const struct template *topmost(GPtrArray *found)
{
	for (guint i = 0; i < found->len; i++) {
		const struct template *template = found->pdata[i];
		guint reached = 0;
		for (size_t j = 1; j < template->unit->n_closure; j++)
			reached += g_ptr_array_find(found, template->unit->closure[j]->template, NULL);
		if (reached + 1 == found->len)
			return template;
	}
	return NULL;
}

const struct ttemplate *tosca_find(const struct tosca *tosca, const char *descriptor, struct origin from, struct diags *diags)
{
	auto_ptr(arena) scratch = arena_new();
	const struct ttemplate *at_path = by_path(tosca, descriptor, scratch);
	if (at_path)
		return at_path;
	GPtrArray *found = g_hash_table_lookup(tosca->by_id, descriptor);
	reads_note(READ_ID, descriptor);
	if (!found) {
		not_found(tosca, descriptor, from, diags);
		return NULL;
	}
	const struct template *top = topmost(found);
	if (top)
		return &top->public;
	struct diag *diag = diags_error(diags, "ambiguous-descriptor", from, "%u templates have the descriptor_id \"%s\"",
					found->len, descriptor);
	diag_hint(diags, diag, "name the file instead");
	for (guint i = 0; i < found->len; i++)
		diag_note(diags, diag, ((const struct template *) found->pdata[i])->public.origin, "one of them");
	return NULL;
}

/* --- by node type -------------------------------------------------------------------------------------------------- */

static bool is_reached(const struct template *from, const struct unit *unit)
{
	for (size_t i = 1; i < from->unit->n_closure; i++)
		if (from->unit->closure[i] == unit)
			return true;
	return false;
}

/* Do constants agree that both name: the flavour and the descriptor? */
static bool agrees(const struct template *template, const struct tnode *node)
{
	const char *flavour = tvalue_string(tnode_property(node, "flavour_id"), NULL);
	const char *id = tvalue_string(tnode_property(node, "descriptor_id"), NULL);
	if (flavour && template->flavour_id && strcmp(flavour, template->flavour_id) != 0)
		return false;
	return !id || !template->public.descriptor_id || !strcmp(id, template->public.descriptor_id);
}

static GPtrArray *candidates(const struct tosca *tosca, const struct template *in, const struct tnode *node, bool reached,
			     bool exact)
{
	GPtrArray *found = g_ptr_array_new();
	const GPtrArray *all = g_hash_table_lookup(tosca->by_type, node->type->name);
	for (guint i = 0; all && i < all->len; i++) {
		const struct template *template = all->pdata[i];
		if (template == in || (reached && !is_reached(in, template->unit)))
			continue;
		bool same = !strcmp(template->substitution_type->name, node->type->name);
		if (exact ? !same : same || !ttype_is_a(template->substitution_type, node->type->name))
			continue;
		if (agrees(template, node))
			g_ptr_array_add(found, all->pdata[i]);
	}
	return found;
}

const struct ttemplate *tosca_substitute(const struct tosca *tosca, const struct ttemplate *in, const struct tnode *node,
					 struct diags *diags)
{
	const struct template *template = (const struct template *) in;
	/* The node that stands for the whole template is not to be opened again. */
	if (template->substitution_type && !strcmp(template->substitution_type->name, node->type->name))
		return NULL;
	reads_note(READ_TYPE, node->type->name);
	for (unsigned step = 0; step < 4; step++) {
		g_autoptr(GPtrArray) found = candidates(tosca, template, node, !(step & 1), step < 2);
		if (!found->len)
			continue;
		const struct template *first = found->pdata[0];
		if (found->len == 1)
			return &first->public;
		struct diag *diag = diags_error(diags, "ambiguous-substitution", node->type_origin,
						"%u templates substitute \"%s\"", found->len,
						node->type->name);
		diag_hint(diags, diag, "give the node a type, flavour_id or descriptor_id that only one of them has");
		for (guint i = 0; i < found->len; i++)
			diag_note(diags, diag, ((const struct template *) found->pdata[i])->public.origin, "one of them");
		return NULL;
	}
	return NULL;
}

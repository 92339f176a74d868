/* Every golden case: the desired network that its repository asks for, and what is found on the way. Of a case with a world only
 * the latter: it is about what is to be done in that world (report-golden.c). */
#include "golden.h"

static json_t *packages_json(const struct network *network)
{
	json_t *json = json_object();

	for (size_t i = 0; i < network->n_packages; i++) {
		const struct package *package = network->packages[i];
		g_autofree char *manifest = package_manifest(package->files, package->n_files);
		g_auto(GStrv) lines = g_strsplit(g_strchomp(manifest), "\n", -1);
		json_t *files = json_array();
		for (size_t j = 0; lines[j]; j++)
			json_array_append_new(files, json_string(lines[j]));
		json_object_set_new(json, package->digest, files);
	}
	return json;
}

static json_t *network_json(const struct network *network)
{
	json_t *json = json_object(), *sites = json_array(), *objects = json_array(), *faulty = json_array();

	for (size_t i = 0; i < network->n_sites; i++)
		json_array_append_new(sites, site_to_json(network->sites[i]));
	for (size_t i = 0; i < network->objects.n; i++)
		json_array_append_new(objects, object_to_json(network->objects.items[i]));
	for (size_t i = 0; i < network->n_faulty_services; i++)
		json_array_append_new(faulty, json_string(network->faulty_services[i]));
	if (network->n_packages)
		json_object_set_new(json, "packages", packages_json(network));
	json_object_set_new(json, "owner", json_string(network->owner));
	json_object_set_new(json, "revision", json_string(network->revision));
	json_object_set_new(json, "sites", sites);
	json_object_set_new(json, "objects", objects);
	json_object_set_new(json, "faulty_services", faulty);
	return json;
}

static void test_case(gconstpointer name)
{
	struct golden *golden = golden_open(name);
	g_autoptr(json_t) json = network_json(golden->network);
	g_autofree char *text = json_text(json, 2);
	g_autoptr(GString) network = g_string_new(text), findings = g_string_new(NULL);

	if (!g_str_has_suffix(network->str, "\n"))
		g_string_append_c(network, '\n');
	for (size_t i = 0; i < diags_count(golden->diags); i++)
		diag_print(diags_get(golden->diags, i), tosca_source, golden->tosca, findings);
	g_autofree char *world = golden_read(golden, "world.json");
	if (!world)
		golden_compare(golden, "network.json", network->str);
	golden_compare(golden, "diags.txt", findings->str);
	golden_close(golden);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	golden_each("/desired/golden", test_case);
	return g_test_run();
}

/* What makes something exist, and where: services, descriptors, sites, owners. */
#include "desired_case.h"

#include "desired/internal.h"

#define WEB { "web.yaml", vnfd_text((struct vnfd_parts) { 0 }) }
#define EDGE(properties) { "service.yaml", service_text(properties) }
#define DESCRIPTOR "        descriptor: /web.yaml\n"

static void test_catalogue(void)
{
	auto_ptr(made) made = MAKE(WEB, { "b.yaml", vnfd_text((struct vnfd_parts) { .type = "t.B" }) });
	const struct diag *diag = made_find(made, "nothing-desired");

	g_assert_cmpuint(made->network->objects.n, ==, 0);
	g_assert_nonnull(diag);
	g_assert_cmpint(diag->severity, ==, SEVERITY_NOTE);
	g_assert_cmpstr(diag->text, ==, "2 descriptors, no pleach.nodes.NetworkService: nothing is desired.");
	assert_clean(made);
}

/* A folder without any descriptor is never "remove everything". */
static void test_empty(void)
{
	auto_ptr(made) made = MAKE({ "README.md", g_strdup("hello") });

	g_assert_nonnull(made_find(made, "no-descriptors"));
	g_assert_cmpuint(made->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(made->network->faulty_services[0], ==, "");
}

static void test_vnfd_keys(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE(DESCRIPTOR));

	assert_clean(made);
	g_assert_cmpuint(made->network->objects.n, ==, 3);
	const struct object *vnfc = made_object(made, "vnfc/edge.vdu.0"), *nf = made_object(made, "nf/edge.vdu.0");
	made_object(made, "link/edge.port");
	g_assert_cmpstr(vnfc->site, ==, "local");
	g_assert_cmpstr(vnfc->descriptor, ==, "id-of-t.Web");
	g_assert_cmpuint(vnfc->n_depends, ==, 1);
	g_assert_cmpstr(vnfc->depends[0], ==, "link/edge.port");
	g_assert_cmpstr(nf->depends[0], ==, "vnfc/edge.vdu.0");
	assert_field(vnfc, "cp.port.link", "link/edge.port");
	assert_field(vnfc, "mem_bytes", "64000000");
	assert_field(vnfc, "pids", "1024");
	assert_field(vnfc, "label.vnfd_id", "id-of-t.Web");
	g_assert_true(object_value(vnfc, "cp.port.addresses")->type == VALUE_ABSENT);
}

/* Names that keys cannot hold are encoded, so two names are never one key. */
static void test_names(void)
{
	auto_ptr(made) made = MAKE(WEB, { "s.yaml",
					  g_strdup(HEAD "topology_template:\n  node_templates:\n    a.b c:\n      type: "
							"pleach.nodes.NetworkService\n"
								  "      properties: { descriptor: /web.yaml }\n") });

	assert_clean(made);
	made_object(made, "vnfc/a%2Eb%20c.vdu.0");
	assert_field(made_object(made, "vnfc/a%2Eb%20c.vdu.0"), "hostname", "a-2Eb-20c-vdu-0");
}

static void test_unknown_descriptor(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE("        descriptor: /wbe.yaml\n"));

	g_assert_cmpuint(diags_errors(made->diags), ==, 1);
	g_assert_cmpuint(made->network->n_faulty_services, ==, 1);
	g_assert_cmpuint(made->network->objects.n, ==, 0);
}

static void test_by_id(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE("        descriptor: id-of-t.Web\n"));

	assert_clean(made);
	made_object(made, "vnfc/edge.vdu.0");
}

static void test_not_a_descriptor(void)
{
	auto_ptr(made) made = MAKE(EDGE("        descriptor: /service.yaml\n"));

	assert_fault(made, "not-a-descriptor", "service.yaml", 8);
}

/* A faulty descriptor that nothing uses blocks nothing; one that is used leaves its service alone, and only that. */
static void test_faulty_descriptor(void)
{
	char *faulty = vnfd_text((struct vnfd_parts) { .type = "t.Bad", .vdu_properties = ", nonsense: 1" });
	auto_ptr(made) unused = MAKE(WEB, { "bad.yaml", g_strdup(faulty) }, EDGE(DESCRIPTOR));

	g_assert_cmpuint(diags_errors(unused->diags), >, 0);
	g_assert_cmpuint(unused->network->n_faulty_services, ==, 0);
	made_object(unused, "vnfc/edge.vdu.0");
	auto_ptr(made) used = MAKE(WEB, { "bad.yaml", faulty }, EDGE("        descriptor: /bad.yaml\n"),
				   { "other.yaml", g_strdup(HEAD "topology_template:\n  node_templates:\n    other:\n      type: "
								 "pleach.nodes.NetworkService\n"
								 "      properties: { descriptor: /web.yaml }\n") });
	g_assert_cmpuint(used->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(used->network->faulty_services[0], ==, "edge.");
	made_object(used, "vnfc/other.vdu.0");
	g_assert_nonnull(made_find(used, "faulty-descriptor"));
}

/* What cannot be read may hold services: nothing is taken for removed. */
static void test_unreadable_service(void)
{
	g_autofree char *text = service_text(DESCRIPTOR);
	auto_ptr(made) broken = MAKE(WEB, { "service.yaml", g_strdup_printf("%s      }: ]\n", text) });

	g_assert_cmpuint(diags_errors(broken->diags), >, 0);
	g_assert_cmpuint(broken->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(broken->network->faulty_services[0], ==, "");
	auto_ptr(made) faulty = MAKE(WEB, EDGE(DESCRIPTOR "        sight: berlin\n"));
	g_assert_cmpuint(diags_errors(faulty->diags), >, 0);
	g_assert_cmpuint(faulty->network->objects.n, ==, 0);
	g_assert_cmpuint(faulty->network->n_faulty_services, >=, 1);
}

/* Nor is what a file describes that lost its version line; a comment that names the type protects nothing. */
static void test_no_version(void)
{
	g_autofree char *text = service_text(DESCRIPTOR);
	g_auto(GStrv) halves = g_strsplit(text, "tosca_definitions_version", 2);
	auto_ptr(made) lost = MAKE(WEB, { "service.yaml", g_strdup_printf("%stosca_definition_version%s", halves[0], halves[1]) });

	g_assert_nonnull(made_find(lost, "no-version"));
	g_assert_cmpuint(lost->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(lost->network->faulty_services[0], ==, "");
	auto_ptr(made) other = MAKE(WEB, EDGE(DESCRIPTOR), { "notes.yaml", g_strdup("# of type pleach.nodes.NetworkService\n[]\n") });
	g_assert_cmpuint(diags_errors(other->diags), ==, 0);
	g_assert_cmpuint(other->network->n_faulty_services, ==, 0);
}

/* A service whose type is mistyped is not removed; other services of the file cannot be told from it. */
static void test_mistyped(void)
{
	auto_ptr(made) made = MAKE(WEB, { "service.yaml",
					  g_strdup(HEAD "topology_template:\n  node_templates:\n    edge:\n      type: "
							"pleach.nodes.NetwrokService\n"
								   "      properties: { descriptor: /web.yaml }\n") });

	g_assert_cmpuint(diags_errors(made->diags), >, 0);
	g_assert_cmpuint(made->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(made->network->faulty_services[0], ==, "edge.");
}

/* What is made must be known before anything runs. */
static void test_known_too_late(void)
{
	auto_ptr(made) service = MAKE(WEB, EDGE(DESCRIPTOR "        site: { get_attribute: [ SELF, state ] }\n"));
	auto_ptr(made) vdu = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .vdu_properties = ", nfvi_constraints: { a: { "
												  "get_attribute: [ nf, state ] "
												  "} }" }) },
				  EDGE(DESCRIPTOR));
	auto_ptr(made) nf = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "command: [ cat ], ems: { get_attribute: [ "
										     "SELF, state ] }" }) }, EDGE(DESCRIPTOR));

	assert_fault(service, "known-too-late", "service.yaml", 9);
	assert_fault(vdu, "known-too-late", "web.yaml", 0);
	assert_fault(nf, "known-too-late", "web.yaml", 0);
}

static void test_duplicate_service(void)
{
	auto_ptr(made) made = MAKE(WEB, { "a.yaml", service_text(DESCRIPTOR) }, { "b.yaml", service_text(DESCRIPTOR) });
	const struct diag *diag = made_find(made, "duplicate-service");

	assert_fault(made, "duplicate-service", "b.yaml", 5);
	g_assert_cmpstr(g_array_index(diag->notes, struct diag_note, 0).origin.file, ==, "a.yaml");
}

static void test_inputs(void)
{
	const struct vnfd_parts parts = { .inputs = "    size: { type: integer, default: 1 }\n" };
	auto_ptr(made) good = MAKE({ "web.yaml", vnfd_text(parts) }, EDGE(DESCRIPTOR "        inputs: { size: 3 }\n"));
	auto_ptr(made) bad = MAKE({ "web.yaml", vnfd_text(parts) }, EDGE(DESCRIPTOR "        inputs: { seize: 3 }\n"));

	assert_clean(good);
	g_assert_cmpuint(diags_errors(bad->diags), >, 0);
	g_assert_cmpuint(bad->network->n_faulty_services, ==, 1);
}

static void test_flavour(void)
{
	auto_ptr(made) good = MAKE(WEB, EDGE(DESCRIPTOR "        flavour_id: simple\n"));
	auto_ptr(made) bad = MAKE(WEB, EDGE(DESCRIPTOR "        flavour_id: double\n"));

	assert_clean(good);
	assert_fault(bad, "unknown-flavour", "service.yaml", 9);
}

/* --- sites -------------------------------------------------------------------------------------------------------------- */

#define SITE(name, properties) \
	g_strdup(HEAD "topology_template:\n  node_templates:\n    " name ":\n      type: pleach.nodes.Site\n" \
		      "      properties: { " properties " }\n")

static void test_implied_site(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE(DESCRIPTOR));
	const struct site *site = network_site(made->network, "local");

	g_assert_nonnull(site);
	g_assert_cmpstr(site->vim.driver, ==, "local");
	g_assert_cmpstr(site_ems(site, "leaf")->driver, ==, "leaf");
	g_assert_cmpstr(site->owner, ==, "tests");
	g_assert_false(origin_is_set(site->origin));
}

static void test_site(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE(DESCRIPTOR),
				   { "berlin.yaml", SITE("berlin",
							 "owner: acme, capacity: { vcpus: 8, memory: 4 GiB, vnfs: 40 }, vim: { "
							 "driver: libvirt, "
									   "endpoint: 'qemu:///system', credential: { secret: "
									   "key, key: a }, options: { b: c } }, "
									   "ems: { leaf: { driver: leaf }, box: { driver: ssh } "
									   "}") });
	const struct site *site = network_site(made->network, "berlin");

	assert_clean(made);
	g_assert_cmpuint(made->network->n_sites, ==, 1);
	g_assert_cmpstr(made_object(made, "vnfc/edge.vdu.0")->site, ==, "berlin");
	g_assert_cmpstr(site->owner, ==, "acme");
	g_assert_cmpstr(made->network->owner, ==, "acme");
	g_assert_cmpint(site->capacity_mem_bytes, ==, G_GINT64_CONSTANT(4) << 30);
	g_assert_cmpint(site->capacity_vcpus, ==, 8);
	g_assert_cmpstr(site->vim.driver, ==, "libvirt");
	g_assert_cmpstr(site->vim.endpoint, ==, "qemu:///system");
	g_assert_cmpstr(site->vim.credential, ==, "key#a");
	g_assert_cmpstr(value_map_get(site->vim.options, "b")->string, ==, "c");
	g_assert_cmpuint(site->n_ems, ==, 2);
	g_assert_cmpstr(site->ems[0].name, ==, "box");
}

static void test_site_faults(void)
{
	auto_ptr(made) unknown = MAKE(WEB, EDGE(DESCRIPTOR "        site: berln\n"),
				      { "a.yaml", SITE("berlin", "steering: auto") });
	auto_ptr(made) missing = MAKE(WEB, EDGE(DESCRIPTOR), { "a.yaml", SITE("berlin", "steering: auto") },
				      { "b.yaml", SITE("bonn", "steering: auto") });
	auto_ptr(made) twice = MAKE(WEB, EDGE(DESCRIPTOR), { "a.yaml", SITE("berlin", "steering: auto") },
				    { "b.yaml", SITE("berlin", "steering: auto") });

	assert_fault(unknown, "unknown-site", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(unknown, "unknown-site")->hint, "berlin"));
	assert_fault(missing, "site-missing", "service.yaml", 5);
	assert_fault(twice, "faulty-site", "service.yaml", 0);
	g_assert_nonnull(made_find(twice, "duplicate-site"));
}

static void test_owner(void)
{
	const struct desired_options options = { .owner = "me", .default_owner = "tests" };
	auto_ptr(made) agrees =
		make_with(&options, (const struct case_file[CASE_FILES]) { WEB, EDGE(DESCRIPTOR),
									   { "a.yaml", SITE("berlin", "owner: me") } });
	auto_ptr(made) differs =
		make_with(&options, (const struct case_file[CASE_FILES]) { WEB, EDGE(DESCRIPTOR),
									   { "a.yaml", SITE("berlin", "owner: you") } });
	auto_ptr(made) silent = make_with(&options, (const struct case_file[CASE_FILES]) { WEB, EDGE(DESCRIPTOR) });

	assert_clean(agrees);
	g_assert_cmpstr(agrees->network->owner, ==, "me");
	g_assert_nonnull(made_find(differs, "owner-mismatch"));
	g_assert_cmpuint(differs->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(silent->network->sites[0]->owner, ==, "me");
}

static void test_capacity(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .min = 3, .max = 3 }) }, EDGE(DESCRIPTOR),
				   { "a.yaml", SITE("berlin", "capacity: { vcpus: 2, memory: 192 MB, vnfs: 1 }") });

	assert_clean(made);
	g_assert_cmpuint(made_count(made, "over-capacity"), ==, 1);
	assert_warning(made, "over-capacity", "2 processors");
}

/* A faulty file may hold the site that is meant: a service that names none is not moved elsewhere. */
static void test_lost_site(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE(DESCRIPTOR), { "a.yaml",
							    g_strdup(HEAD "topology_template:\n  node_templates:\n    b: { type: "
									  "pleach.nodes.Site\n") });

	assert_fault(made, "site-missing", "service.yaml", 5);
}

/* --- order -------------------------------------------------------------------------------------------------------------- */

#define TWO(first, second) \
	g_strdup(HEAD "topology_template:\n  node_templates:\n    a:\n      type: pleach.nodes.NetworkService\n      " \
		      "properties: { descriptor: /web.yaml }\n" first \
		      "    b:\n      type: pleach.nodes.NetworkService\n      properties: { descriptor: /web.yaml }\n" second)

static void test_order(void)
{
	auto_ptr(made) made = MAKE(WEB, { "s.yaml", TWO("      requirements: [ dependency: b ]\n", "") });
	const struct object *link = made_object(made, "link/a.port");

	assert_clean(made);
	g_assert_cmpuint(link->n_depends, ==, 1);
	g_assert_cmpstr(link->depends[0], ==, "nf/b.vdu.0");
	g_assert_cmpuint(made_object(made, "link/b.port")->n_depends, ==, 0);
	auto_ptr(made) cycle = MAKE(WEB, { "s.yaml", TWO("      requirements: [ dependency: b ]\n",
							 "      requirements: [ dependency: a ]\n") });
	g_assert_nonnull(made_find(cycle, "dependency-cycle"));
	g_assert_cmpuint(cycle->network->n_faulty_services, ==, 2);
}

/* The same bytes whatever the files are called and in whatever order they are read. */
static char *fields(const struct made *made)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < made->network->objects.n; i++) {
		const struct object *object = made->network->objects.items[i];
		g_string_append_printf(text, "%s %s\n", object->key, object->site);
		for (size_t j = 0; j < object->n_fields; j++) {
			g_string_append_printf(text, "  %s ", object->fields[j].path);
			value_print(object->fields[j].value, text);
			g_string_append_c(text, '\n');
		}
	}
	return g_string_free(text, FALSE);
}

/* Services that depend on one another are ordered pair by pair of their objects: that is bounded. */
static void test_order_bound(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .min = 1001, .max = 1001,
										 .cp = "layer_protocols: [ ethernet ]" }) },
				   { "bare.yaml", g_strdup(HEAD "node_types:\n  t.Bare: { derived_from: tosca.nodes.nfv.VNF "
								"}\ntopology_template:\n  node_templates:\n"
								"    vdu:\n      type: tosca.nodes.nfv.Vdu.Compute\n      "
								"properties: { name: b, description: b,\n"
								"        vdu_profile: { min_number_of_instances: 1000, "
								"max_number_of_instances: 1000 } }\n"
								"      capabilities:\n        virtual_compute: { properties: { "
								"virtual_cpu: { num_virtual_cpu: 1 },\n"
								"          virtual_memory: { virtual_mem_size: 1 MB } } }\n") },
				   { "s.yaml", g_strdup(HEAD "topology_template:\n  node_templates:\n    a:\n      type: "
							     "pleach.nodes.NetworkService\n"
							     "      properties: { descriptor: /bare.yaml }\n      requirements: "
							     "[ dependency: b ]\n"
							     "    b:\n      type: pleach.nodes.NetworkService\n      properties: "
							     "{ descriptor: /web.yaml }\n") });

	g_assert_nonnull(made_find(made, "too-many-dependencies"));
	g_assert_cmpuint(made->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(made->network->faulty_services[0], ==, "a.");
}

static void test_order_of_files(void)
{
	auto_ptr(made) one = MAKE(WEB, { "1.yaml", TWO("", "") }, { "2.yaml", SITE("berlin", "steering: auto") });
	auto_ptr(made) two = MAKE({ "9.yaml", TWO("", "") }, { "x/y/z.yaml", SITE("berlin", "steering: auto") }, WEB);
	g_autofree char *a = fields(one), *b = fields(two);

	g_assert_cmpuint(one->network->objects.n, ==, 6);
	g_assert_cmpstr(a, ==, b);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/services/catalogue", test_catalogue);
	g_test_add_func("/desired/services/empty", test_empty);
	g_test_add_func("/desired/services/keys", test_vnfd_keys);
	g_test_add_func("/desired/services/names", test_names);
	g_test_add_func("/desired/services/unknown-descriptor", test_unknown_descriptor);
	g_test_add_func("/desired/services/by-id", test_by_id);
	g_test_add_func("/desired/services/not-a-descriptor", test_not_a_descriptor);
	g_test_add_func("/desired/services/faulty-descriptor", test_faulty_descriptor);
	g_test_add_func("/desired/services/unreadable", test_unreadable_service);
	g_test_add_func("/desired/services/no-version", test_no_version);
	g_test_add_func("/desired/services/mistyped", test_mistyped);
	g_test_add_func("/desired/services/known-too-late", test_known_too_late);
	g_test_add_func("/desired/services/order-bound", test_order_bound);
	g_test_add_func("/desired/services/duplicate", test_duplicate_service);
	g_test_add_func("/desired/services/inputs", test_inputs);
	g_test_add_func("/desired/services/flavour", test_flavour);
	g_test_add_func("/desired/services/order", test_order);
	g_test_add_func("/desired/services/order-of-files", test_order_of_files);
	g_test_add_func("/desired/sites/implied", test_implied_site);
	g_test_add_func("/desired/sites/fields", test_site);
	g_test_add_func("/desired/sites/faults", test_site_faults);
	g_test_add_func("/desired/sites/owner", test_owner);
	g_test_add_func("/desired/sites/capacity", test_capacity);
	g_test_add_func("/desired/sites/lost", test_lost_site);
	return g_test_run();
}

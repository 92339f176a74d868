/* The lifecycle of network functions: packages, operations and their inputs, health checks, secrets, indicators. */
#include "desired_case.h"

#include "model/mark.h"
#include "model/nf.h"

#define EDGE(properties) { "service.yaml", service_text("        descriptor: /web.yaml\n" properties) }
#define WITH(...) { "web.yaml", vnfd_text((struct vnfd_parts) { __VA_ARGS__ }) }
#define TYPE(properties) \
	.types = "  t.Nf:\n    derived_from: pleach.nodes.NetworkFunction\n    properties:\n" properties, .nf_type = "t.Nf"
#define TEMPLATE(file) "      artifacts:\n        config: { type: pleach.artifacts.Template, file: " file \
	", deploy_path: /etc/a.conf }\n"
#define OPERATIONS(text) "      interfaces: { Standard: { " text " } }\n"
#define SCRIPT { "up.sh", g_strdup("#!/bin/sh\n") }

static const struct object *nf_of(const struct made *made)
{
	return made_object(made, "nf/edge.vdu.0");
}

static void test_scripts(void)
{
	auto_ptr(made) made = MAKE(WITH(.nf = "stateful: false",
					.nf_rest = OPERATIONS("operations: { start: up.sh, stop: { implementation: { primary: "
							      "up.sh, dependencies: [ lib/a.sh ], timeout: 2.5 } }, status: up.sh }")),
				   SCRIPT, { "lib/a.sh", g_strdup("a") }, { "other.sh", g_strdup("b") }, EDGE(""));
	const struct object *nf = nf_of(made);

	assert_clean(made);
	g_assert_null(made_find(made, "not-kept"));
	assert_field(nf, "command", "none");
	assert_field(nf, "operation.start.script", "up.sh");
	assert_field(nf, "operation.start.timeout_ms", "60000");
	assert_field(nf, "operation.stop.timeout_ms", "2500");
	assert_field(nf, "health_check.type", "status");
	g_assert_cmpuint(made->network->n_packages, ==, 1);
	const struct package *package = network_package(made->network, object_string(nf, "package", ""));
	g_assert_nonnull(package);
	g_assert_cmpuint(package->n_files, ==, 2);
	g_assert_cmpstr(package->files[0].path, ==, "lib/a.sh");
	g_assert_false(package->files[0].executable);
	g_assert_cmpstr(package->files[1].path, ==, "up.sh");
	g_assert_true(package->files[1].executable);
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct nf *typed = nf_from_object(arena, nf, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(typed->operations[NF_STOP].script, ==, "up.sh");
	g_assert_null(typed->operations[NF_DELETE].script);
}

/* The same files give the same package; another byte gives another. */
static void test_digest(void)
{
	auto_ptr(made) one = MAKE(WITH(.nf_rest = OPERATIONS("operations: { start: up.sh }")), SCRIPT, EDGE(""));
	auto_ptr(made) same = MAKE(WITH(.nf_rest = OPERATIONS("operations: { start: up.sh }")), SCRIPT,
				   { "readme.txt", g_strdup("x") }, EDGE("        scale: {}\n"));
	auto_ptr(made) other = MAKE(WITH(.nf_rest = OPERATIONS("operations: { start: up.sh }")),
				    { "up.sh", g_strdup("#!/bin/sh\n\n") }, EDGE(""));

	g_assert_cmpstr(object_string(nf_of(one), "package", ""), ==, object_string(nf_of(same), "package", NULL));
	g_assert_cmpstr(object_string(nf_of(one), "package", ""), !=, object_string(nf_of(other), "package", NULL));
}

static void test_csar(void)
{
	auto_ptr(made) made = MAKE(
		{ "fw/Definitions/web.yaml",
		  vnfd_text((struct vnfd_parts) { .nf_rest = "      artifacts:\n        config: { type: pleach.artifacts.Template, file: "
							     "../Files/a.conf, deploy_path: /etc/a.conf }\n"
							     OPERATIONS("operations: { start: ../Scripts/up.sh }") }) },
		{ "fw/TOSCA-Metadata/TOSCA.meta", g_strdup("TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: me\n"
							   "Entry-Definitions: Definitions/web.yaml\n") },
		{ "fw/web.mf", g_strdup("metadata:\n") }, { "fw/Files/a.conf", g_strdup("x\n") },
		{ "fw/Files/data.bin", g_strdup("data") }, { "fw/Scripts/up.sh", g_strdup("#!/bin/sh\n") },
		{ "fx/beside.sh", g_strdup("x") }, { "service.yaml", service_text("        descriptor: /fw\n") });

	assert_clean(made);
	g_assert_cmpuint(made->network->n_packages, ==, 1);
	const struct package *package = made->network->packages[0];
	g_assert_cmpuint(package->n_files, ==, 2);
	g_assert_cmpstr(package->files[0].path, ==, "Files/data.bin");
	g_assert_cmpstr(package->files[1].path, ==, "Scripts/up.sh");
	assert_field(nf_of(made), "operation.start.script", "Scripts/up.sh");
}

static void test_package_faults(void)
{
	auto_ptr(made) outside = MAKE({ "d/web.yaml", vnfd_text((struct vnfd_parts) {
							      .nf_rest = OPERATIONS("operations: { start: ../up.sh }") }) },
				      SCRIPT, { "service.yaml", service_text("        descriptor: /d/web.yaml\n") });
	auto_ptr(made) timeout = MAKE(WITH(.nf_rest = OPERATIONS("operations: { start: { implementation: { primary: up.sh, "
								 "timeout: 100000 } } }")), SCRIPT, EDGE(""));

	assert_fault(outside, "outside-package", "d/web.yaml", 0);
	assert_fault(timeout, "bad-timeout", "web.yaml", 0);
}

static void test_inputs(void)
{
	auto_ptr(made) made = MAKE(
		WITH(TYPE("      rate: { type: scalar-unit.bitrate }\n      ports_open: { type: list, entry_schema: { type: integer } }\n"
			  "      password: { type: pleach.datatypes.Secret }\n"),
		     .nf = "rate: 1 Mbps, ports_open: [ 80, 443 ], password: { secret: pw, key: web }",
		     .nf_rest = OPERATIONS("inputs: { RATE: { get_property: [ SELF, rate ] }, OPEN: { get_property: [ SELF, ports_open ] }, "
					   "PW: { get_property: [ SELF, password ] }, BARE: { secret: other } }, "
					   "operations: { start: { implementation: up.sh, inputs: { DEV: { get_attribute: [ SELF, ports, "
					   "port, port_name ] }, RATE: 5 } }, stop: up.sh }")),
		SCRIPT, EDGE(""));
	const struct object *nf = nf_of(made);

	assert_clean(made);
	assert_field(nf, "operation.start.input.RATE", "\"5\"");
	assert_field(nf, "operation.stop.input.RATE", "\"1000000\"");
	assert_field(nf, "operation.stop.input.OPEN", "80 443");
	assert_field(nf, "operation.stop.input.PW", "secret:pw#web");
	assert_field(nf, "operation.start.input.BARE", "secret:other");
	assert_field(nf, "secret.pw%23web", "current");
	assert_field(nf, "secret.other", "current");
	g_assert_cmpint(object_value(nf, "operation.start.input.DEV")->type, ==, VALUE_PENDING);
}

static void test_input_faults(void)
{
	static const char *const bad[] = { "inputs: { PLEACH_KEY: a }, ", "inputs: { a-b: a }, ", "inputs: { 1A: a }, ",
					   "inputs: { A: { get_attribute: [ SELF, ports ] } }, " };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *rest = g_strdup_printf(OPERATIONS("%s operations: { start: up.sh }"), bad[i]);
		auto_ptr(made) made = MAKE(WITH(.nf_rest = rest), SCRIPT, EDGE(""));
		assert_fault(made, "bad-input", "web.yaml", 0);
	}
}

static void test_secrets(void)
{
	auto_ptr(made) used = MAKE(WITH(TYPE("      password: { type: pleach.datatypes.Secret }\n"),
					.nf = "command: [ cat ], password: { secret: pw }", .nf_rest = TEMPLATE("t.conf")),
				   { "t.conf", g_strdup("pass {{password}}\n") }, EDGE(""));
	auto_ptr(made) unused = MAKE(WITH(TYPE("      password: { type: pleach.datatypes.Secret }\n"),
					  .nf = "command: [ cat ], password: { secret: pw }", .nf_rest = TEMPLATE("t.conf")),
				     { "t.conf", g_strdup("no pass {{ports.port.mac_address}}\n") }, EDGE(""));
	auto_ptr(made) late = MAKE(WITH(TYPE("      password: { type: pleach.datatypes.Secret }\n"),
					.nf = "command: [ cat ], password: { secret: pw }", .nf_rest = TEMPLATE("t.conf")),
				   { "t.conf", g_strdup("{{password}} {{ports.port.mac_address}}\n") }, EDGE(""));

	assert_clean(used);
	g_assert_cmpstr(object_string(nf_of(used), "config.config.content", NULL), ==, "pass " MARK_BEGIN "secret:pw" MARK_END "\n");
	assert_field(nf_of(used), "secret.pw", "current");
	assert_clean(unused);
	assert_field(nf_of(unused), "secret.pw", "none");
	assert_field(nf_of(late), "secret.pw", "current");
}

/* Nobody but we makes marks. */
static void test_marks_from_outside(void)
{
	auto_ptr(made) file = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strdup("a" MARK_BEGIN "secret:pw" MARK_END) },
				   EDGE(""));
	auto_ptr(made) text = MAKE(WITH(TYPE("      title: { type: string }\n"), .nf = "command: [ cat ], title: \"" MARK_BEGIN "\"",
					.nf_rest = TEMPLATE("t.conf")),
				   { "t.conf", g_strdup("{{title}}") }, EDGE(""));

	assert_fault(file, "not-text", "web.yaml", 0);
	assert_fault(text, "bad-template", "t.conf", 1);
}

static void test_health(void)
{
	auto_ptr(made) process = MAKE(WITH(0), EDGE(""));
	auto_ptr(made) http = MAKE(WITH(.nf = "command: [ cat ], health_check: { type: http, port: 80, interval: 500 ms, failures: 2, "
					      "escalate_to: restart }"), EDGE(""));
	auto_ptr(made) nothing = MAKE(WITH(.nf = "stateful: false", .nf_rest = OPERATIONS("operations: { start: up.sh }")), SCRIPT,
				      EDGE(""));

	assert_field(nf_of(process), "health_check.type", "process");
	assert_field(nf_of(process), "health_check.interval_ms", "5000");
	assert_field(nf_of(process), "health_check.grace_ms", "10000");
	assert_field(nf_of(process), "health_check.max_per_hour", "6");
	assert_clean(http);
	assert_field(nf_of(http), "health_check.address", "127.0.0.1");
	assert_field(nf_of(http), "health_check.path", "/");
	assert_field(nf_of(http), "health_check.interval_ms", "500");
	assert_field(nf_of(http), "health_check.timeout_ms", "2000");
	assert_field(nf_of(http), "health_check.escalate_to", "restart");
	assert_clean(nothing);
	assert_warning(nothing, "no-health-check", "\"nf\"");
	assert_field(nf_of(nothing), "health_check.type", "none");
}

static void test_health_faults(void)
{
	static const char *const bad[] = { "command: [ cat ], health_check: { type: tcp }", "health_check: { type: process }",
					   "command: [ cat ], health_check: { type: status }",
					   "command: [ cat ], health_check: { type: http, port: 80, path: x }",
					   "command: [ cat ], health_check: { type: process, interval: 30 d }" };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		auto_ptr(made) made = MAKE(WITH(.nf = bad[i]), EDGE(""));
		assert_fault(made, "bad-health-check", "web.yaml", 0);
	}
}

static void test_indicators(void)
{
	auto_ptr(made) made = MAKE(
		WITH(.rest = "  policies:\n    - busy:\n        type: tosca.policies.nfv.VnfIndicator\n        targets: [ web ]\n        "
			     "properties: { source: em }\n        triggers:\n          high:\n            event: e\n            condition:\n"
			     "              - cpu_percent: [ { greater_or_equal: 80 }, { less_than: 99.5 } ]\n"
			     "              - not: [ { a: [ { equal: 1 } ] } ]\n"
			     "              - mem_bytes: [ { pattern: 3 } ]\n            action: [ { call_operation: x } ]\n"),
		EDGE(""));
	const struct object *nf = nf_of(made);

	assert_clean(made);
	assert_field(nf, "indicator.busy-high.metric", "cpu_percent");
	assert_field(nf, "indicator.busy-high.compare", "greater_or_equal");
	assert_field(nf, "indicator.busy-high.value", "80");
	assert_field(nf, "indicator.busy-high-2.value", "99.5");
	assert_warning(made, "not-kept", "the action of the trigger");
	assert_warning(made, "not-kept", "this condition of the trigger");
	assert_warning(made, "not-kept", "\"pattern\"");
}

/* A vendor's VNF without an NF: the NSD brings it, the service stops and scales it. */
static void test_hosted_by_nsd(void)
{
	const char *nodes = "    fw:\n      type: t.Web\n      requirements: [ virtual_link: lan ]\n"
			    "    manager:\n      type: pleach.nodes.NetworkFunction\n      properties: { stateful: false }\n"
			    "      requirements: [ host: fw ]\n      interfaces: { Standard: { inputs: { DEV: { get_attribute: [ SELF, "
			    "ports, port, port_name ] } }, operations: { start: up.sh, status: up.sh } } }\n";
	g_autofree char *lan = link_text("lan", "ipv4", NULL);
	g_autofree char *all = g_strconcat(lan, nodes, NULL);
	const char *requirement = "    requirements:\n      - virtual_link: { capability: tosca.capabilities.nfv.VirtualLinkable }\n";
	auto_ptr(made) made = MAKE({ "vendor/web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .type_rest = requirement }) },
				   { "nsd.yaml", nsd_text("vendor/web.yaml", NULL, all, NULL) }, SCRIPT,
				   { "service.yaml", service_text("        descriptor: /nsd.yaml\n"
								  "        states: { fw.manager: stopped }\n") });

	assert_clean(made);
	const struct object *nf = made_object(made, "nf/edge.fw.vdu.0");
	assert_field(nf, "state", "stopped");
	assert_field(nf, "operation.start.script", "up.sh");
	g_assert_cmpint(object_value(nf, "operation.start.input.DEV")->type, ==, VALUE_PENDING);
	g_assert_nonnull(network_package(made->network, object_string(nf, "package", "")));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/lifecycle/scripts", test_scripts);
	g_test_add_func("/desired/lifecycle/digest", test_digest);
	g_test_add_func("/desired/lifecycle/csar", test_csar);
	g_test_add_func("/desired/lifecycle/package-faults", test_package_faults);
	g_test_add_func("/desired/lifecycle/inputs", test_inputs);
	g_test_add_func("/desired/lifecycle/input-faults", test_input_faults);
	g_test_add_func("/desired/lifecycle/secrets", test_secrets);
	g_test_add_func("/desired/lifecycle/marks-from-outside", test_marks_from_outside);
	g_test_add_func("/desired/lifecycle/health", test_health);
	g_test_add_func("/desired/lifecycle/health-faults", test_health_faults);
	g_test_add_func("/desired/lifecycle/indicators", test_indicators);
	g_test_add_func("/desired/lifecycle/hosted-by-nsd", test_hosted_by_nsd);
	return g_test_run();
}

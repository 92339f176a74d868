#include "conformance_vim_kit.h"

void conformance_vim_add(struct vim_bench *bench)
{
	static const struct {
		const char *name;
		GTestDataFunc run;
	} tests[] = {
		{ "empty", vim_test_empty }, { "create", vim_test_create }, { "again", vim_test_again }, { "change-link",
			vim_test_change_link },
		{ "change-vnfc", vim_test_change_vnfc }, { "change-cp", vim_test_change_cp }, { "several-cps",
			vim_test_several_cps },
		{ "remove", vim_test_remove }, { "unknown-link", vim_test_unknown_link }, { "address-conflict",
			vim_test_address_conflict },
		{ "incarnations", vim_test_incarnations }, { "death", vim_test_death }, { "cancel", vim_test_cancel },
			{ "strangers", vim_test_strangers },
		{ "owners", vim_test_owners }, { "clean", vim_test_clean }, { "exec", vim_test_exec }, { "connect",
			vim_test_connect },
		{ "drift-address", vim_test_drift_address }, { "drift-cp", vim_test_drift_cp }, { "drift-memory",
			vim_test_drift_memory },
		{ "drift-link", vim_test_drift_link }, { "parallel", vim_test_parallel },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path = g_strdup_printf("/conformance/vim/%s/%s", bench->ops->name, tests[i].name);
		g_test_add_data_func(path, bench, tests[i].run);
	}
}

/* What the EMS keeps in the store: read back as it was written, bounded, after a restart. */
#include "base/clock.h"
#include "base/file.h"
#include "store/store.h"

#include <string.h>

static char *folder;

static struct store *open_store(void)
{
	g_autoptr(GError) error = NULL;
	struct store *store = store_open(folder, &error);
	g_assert_no_error(error);
	return store;
}

static void test_vib(void)
{
	auto_ptr(store) store = open_store();
	struct vib_entry entry = {
		.key = "nf/edge.fw.vdu.0", .site = "local", .ems = "leaf", .driver = "leaf", .transport = "unix", .incarnation = 2,
		.state = "failed", .reason = "exit status 3", .state_since_us = 11, .health_since_us = 12, .restarts = 3, .failures = 4,
		.last_failure = "exit status 3", .last_failure_us = 13, .fate = "limit", .held = "later", .crossed = "busy",
	};
	g_assert_true(store_put_vib(store, &entry, NULL));
	entry.state = "started";
	g_assert_true(store_put_vib(store, &entry, NULL));
	g_clear_pointer(&store, store_close);
	store = open_store();
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(entry));
	g_assert_true(store_vib(store, arena, entries, NULL));
	g_assert_cmpuint(entries->len, ==, 1);
	const struct vib_entry *read = &g_array_index(entries, struct vib_entry, 0);
	g_assert_cmpstr(read->key, ==, entry.key);
	g_assert_cmpstr(read->state, ==, "started");
	g_assert_null(read->health);
	g_assert_cmpuint(read->incarnation, ==, 2);
	g_assert_cmpint(read->health_since_us, ==, 12);
	g_assert_cmpint(read->last_failure_us, ==, 13);
	g_assert_cmpstr(read->held, ==, "later");
	g_assert_cmpstr(read->crossed, ==, "busy");
	g_assert_true(store_drop_vib(store, entry.key, NULL));
	g_array_set_size(entries, 0);
	g_assert_true(store_vib(store, arena, entries, NULL));
	g_assert_cmpuint(entries->len, ==, 0);
}

static void test_cures(void)
{
	auto_ptr(store) store = open_store();
	auto_ptr(arena) arena = arena_new();
	gint64 now_us = (gint64) 10 * STORE_CURES_KEPT_S * G_USEC_PER_SEC;
	struct cure cure = { .id = "op-1", .path = "edge.fw.vdu.0", .kind = CURE_RESTART, .wanted = "abc", .wall_us = now_us };
	g_assert_true(store_put_cure(store, &cure, NULL));
	cure.wall_us += 5; /* the next attempt of the same operation */
	g_assert_true(store_put_cure(store, &cure, NULL));
	cure = (struct cure) { .id = "op-2", .path = "edge.fw.vdu.0", .kind = CURE_RECOVER, .wanted = "abc", .wall_us = now_us + 10 };
	g_assert_true(store_put_cure(store, &cure, NULL));
	g_autoptr(GArray) cures = g_array_new(FALSE, FALSE, sizeof(cure));
	g_assert_true(store_cures(store, arena, now_us, cures, NULL));
	g_assert_cmpuint(cures->len, ==, 2);
	g_assert_cmpint(g_array_index(cures, struct cure, 0).wall_us, ==, now_us);
	g_assert_cmpint(g_array_index(cures, struct cure, 1).kind, ==, CURE_RECOVER);
	cure.id = "op-3";
	cure.wall_us = now_us + (gint64) 2 * STORE_CURES_KEPT_S * G_USEC_PER_SEC;
	g_assert_true(store_put_cure(store, &cure, NULL));
	g_array_set_size(cures, 0);
	g_assert_true(store_cures(store, arena, 0, cures, NULL));
	g_assert_cmpuint(cures->len, ==, 1);
}

static void test_samples(void)
{
	enum { KEPT = 10, ROUNDS = 60 };
	auto_ptr(store) store = open_store();
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct sample_port port = { .cp = "lan", .rx_bytes = 1, .rx_packets = 2, .rx_drops = 3, .tx_bytes = 4, .tx_packets = 5,
					  .tx_drops = -1 };
	for (gint64 i = 1; i <= ROUNDS; i++) {
		const struct sample sample = { .wall_us = i, .cpu_us = 10 * i, .mem_bytes = -1, .ports = &port, .n_ports = 1 };
		const struct store_sample samples[] = { { "nf/a.b.0", &sample }, { "nf/a.c.0", &sample } };
		g_assert_true(store_put_samples(store, samples, G_N_ELEMENTS(samples), i - KEPT, &error));
		g_assert_no_error(error);
	}
	g_autoptr(GPtrArray) read = g_ptr_array_new();
	g_assert_true(store_samples(store, arena, "nf/a.b.0", 0, 1000, read, NULL));
	g_assert_cmpuint(read->len, ==, KEPT + 1);
	const struct sample *newest = g_ptr_array_index(read, 0);
	g_assert_cmpint(newest->wall_us, ==, ROUNDS);
	g_assert_cmpint(newest->cpu_us, ==, 10 * ROUNDS);
	g_assert_cmpint(newest->mem_bytes, ==, -1);
	g_assert_cmpuint(newest->n_ports, ==, 1);
	g_assert_cmpint(newest->ports[0].tx_packets, ==, 5);
	g_ptr_array_set_size(read, 0);
	g_assert_true(store_samples(store, arena, "nf/a.c.0", ROUNDS - 2, 2, read, NULL));
	g_assert_cmpuint(read->len, ==, 2);
	g_assert_true(store_drop_vib(store, "nf/a.b.0", NULL));
	g_ptr_array_set_size(read, 0);
	g_assert_true(store_samples(store, arena, "nf/a.b.0", 0, 1000, read, NULL));
	g_assert_cmpuint(read->len, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("store-XXXXXX", NULL);
	g_test_add_func("/store/vib", test_vib);
	g_test_add_func("/store/cures", test_cures);
	g_test_add_func("/store/samples", test_samples);
	int status = g_test_run();
	g_assert_true(file_remove_tree(folder, NULL));
	g_free(folder);
	return status;
}

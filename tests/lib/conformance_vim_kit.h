/* Within the VIM suite (conformance_vim.h) only: its fixture, what every test says in few words, and the tests themselves. */
#pragma once

#include "conformance_vim.h"

enum { LONG_MS = 30000, WATCH_MS = 3000, N_PARALLEL = 16 };

#define CIDR "10.99.0.0/24"
#define LAN "link/edge.lan"
#define WAN "link/edge.wan"
#define FW "vnfc/edge.fw.vdu.0"

struct vim_fixture {
	struct vim_bench *bench;
	const struct vim_ops *ops;
	const struct site *site;
	struct vim *vim;
	struct arena *arena;
	struct observation *seen;
};

struct call kit_in_time(void);
bool kit_begin(struct vim_fixture *f, const void *data);
void kit_end(struct vim_fixture *f);
void kit_look(struct vim_fixture *f);
const struct link *kit_seen_link(const struct vim_fixture *f, const char *key);
const struct vnfc *kit_seen_vnfc(const struct vim_fixture *f, const char *key, unsigned incarnation);
const struct cp *kit_cp_of(const struct vnfc *vnfc, const char *name);
struct link kit_a_link(const char *key);
struct cp kit_a_cp(const char *name, const char *link, unsigned order);
struct vnfc kit_a_vnfc(const char *key, unsigned incarnation, const struct cp *cps, size_t n_cps);
void kit_make_link(struct vim_fixture *f, const struct link *want);
const struct vnfc *kit_make_vnfc(struct vim_fixture *f, const struct vnfc *want);
void kit_fails_to_make(struct vim_fixture *f, const struct vnfc *want, enum pleach_error code);
void kit_take_away(struct vim_fixture *f, const char *key, unsigned incarnation);
const struct vnfc *kit_make_one(struct vim_fixture *f);

void vim_test_empty(const void *data);
void vim_test_create(const void *data);
void vim_test_again(const void *data);
void vim_test_change_link(const void *data);
void vim_test_change_vnfc(const void *data);
void vim_test_change_cp(const void *data);
void vim_test_several_cps(const void *data);
void vim_test_remove(const void *data);
void vim_test_unknown_link(const void *data);
void vim_test_address_conflict(const void *data);
void vim_test_incarnations(const void *data);
void vim_test_death(const void *data);
void vim_test_cancel(const void *data);
void vim_test_strangers(const void *data);
void vim_test_owners(const void *data);
void vim_test_clean(const void *data);
void vim_test_exec(const void *data);
void vim_test_connect(const void *data);
void vim_test_drift_address(const void *data);
void vim_test_drift_cp(const void *data);
void vim_test_drift_memory(const void *data);
void vim_test_drift_link(const void *data);
void vim_test_parallel(const void *data);

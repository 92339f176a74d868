/* The EMS suite against the driver "ssh" and a real sshd on the loopback, for whoever runs it: its VNFC is a folder. Run twice: with sftp,
 * and with a server that has none. */
#include "conformance_ems.h"
#include "ems/ssh/ems_ssh.h"
#include "sshd_process.h"

#include <unistd.h>

struct host {
	struct sshd sshd;
	const char *config; /* further lines for sshd; NULL: those with sftp */
	struct access access;
	struct arena *arena;
	struct lookup lookup;
};

static char *secret_of(const struct lookup *lookup, const char *name, GError **error)
{
	const struct host *host = lookup->data;
	g_assert_cmpstr(name, ==, "vnf-key");
	return g_strdup(host->sshd.key);
}

static const struct access *vnfc_new(struct ems_bench *bench, char **ret_why)
{
	struct host *host = bench->data;
	*ret_why = sshd_why_not();
	if (*ret_why)
		return NULL;
	sshd_start(&host->sshd, host->config);
	host->arena = arena_new();
	host->lookup = (struct lookup) { .secret = secret_of, .data = host };
	bench->lookup = &host->lookup;
	host->access = (struct access) { .key = "vnfc/edge.fw.vdu.0", .transport = "ssh", .address = host->sshd.address };
	return &host->access;
}

static void describe(struct ems_bench *bench, struct driver_ref *which)
{
	struct host *host = bench->data;
	g_autofree char *folder = g_build_filename(host->sshd.folder, "state", NULL);
	const char *const keys[] = { "folder", "host_key", "user" };
	const struct value *const items[] = { value_string(host->arena, folder), value_string(host->arena, host->sshd.fingerprint),
					      value_string(host->arena, host->sshd.user) };
	which->credential = "vnf-key";
	which->options = value_map(host->arena, keys, items, G_N_ELEMENTS(keys));
}

static void vnfc_free(struct ems_bench *bench)
{
	struct host *host = bench->data;
	sshd_end(&host->sshd);
	arena_unref(host->arena);
}

static char *path_of(struct ems_bench *bench, const char *name)
{
	struct host *host = bench->data;
	return g_build_filename(host->sshd.folder, "etc", name, NULL);
}

static void kill_vnfc(struct ems_bench *bench)
{
	struct host *host = bench->data;
	sshd_kill(&host->sshd);
}

static void cut(struct ems_bench *bench)
{
	struct host *host = bench->data;
	sshd_kill_children(host->sshd.pid);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	struct host with = { 0 }, without = { .config = "# no sftp" };
	struct ems_bench bench = {
		.ops = &ems_ssh_ops,
		.tells_texts = true,
		.vnfc_new = vnfc_new,
		.vnfc_free = vnfc_free,
		.describe = describe,
		.path = path_of,
		.write_file = ems_write_file,
		.read_file = ems_read_file,
		.kill_process = ems_kill_process,
		.kill_vnfc = kill_vnfc,
		/* Only of root: seen here, the connection to an ordinary user's sshd outlives the end of that one's process. */
		.cut = geteuid() == 0 ? cut : NULL,
		.data = &with,
	};
	struct ems_bench plain = bench;
	plain.data = &without;
	plain.variant = "no-sftp";
	conformance_ems_add(&bench);
	conformance_ems_add(&plain);
	return g_test_run();
}

/* Processes whose parents ended are ours: whose they are decides when they are to end. What an operation that ended well left behind is
 * the network function itself (a daemon that its start script began), and stays until an operation stops it or the NF goes. What the
 * supervised process leaves goes with it: nothing of an instance that ended may run beside the next one. */
#include "leaf/internal.h"
#include "leaf/tree.h"

#include <signal.h>
#include <unistd.h>

enum stray { STRAY_OF_SOFTWARE = 1, STRAY_OF_OPERATION };

enum { KILL_ROUNDS = 16 };

static bool is_stray(const struct supervisor *supervisor, const struct tree_process *process)
{
	return process->parent == getpid() && !process->zombie && process->pid != supervisor->software.pid &&
	       process->pid != operation_pid(supervisor->operation);
}

static enum stray owner_of(const struct supervisor *supervisor, pid_t pid)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(supervisor->strays, GINT_TO_POINTER(pid)));
}

/* All that are not known yet. */
static void mark(struct supervisor *supervisor, enum stray owner)
{
	g_autoptr(GArray) ours = tree_under(getpid());
	for (guint i = 0; i < ours->len; i++) {
		const struct tree_process *process = &g_array_index(ours, struct tree_process, i);
		if (is_stray(supervisor, process) && !owner_of(supervisor, process->pid))
			g_hash_table_insert(supervisor->strays, GINT_TO_POINTER(process->pid), GINT_TO_POINTER(owner));
	}
}

/* Ends the strays that are not @spared's, and all under them; what they leave is a stray again, and found in the next round. */
static void end(struct supervisor *supervisor, bool (*spared)(enum stray owner))
{
	for (int round = 0; round < KILL_ROUNDS; round++) {
		unsigned found = 0;
		g_autoptr(GArray) ours = tree_under(getpid());
		for (guint i = 0; i < ours->len; i++) {
			const struct tree_process *process = &g_array_index(ours, struct tree_process, i);
			if (!is_stray(supervisor, process) || spared(owner_of(supervisor, process->pid)))
				continue;
			found++;
			tree_kill(process->pid);
		}
		if (found == 0)
			return;
	}
}

static bool spare_known(enum stray owner)
{
	return owner != 0;
}

static bool spare_operations(enum stray owner)
{
	return owner == STRAY_OF_OPERATION;
}

static bool spare_none(enum stray owner)
{
	return false;
}

void strays_before_operation(struct supervisor *supervisor)
{
	mark(supervisor, STRAY_OF_SOFTWARE);
}

void strays_after_operation(struct supervisor *supervisor, bool good)
{
	if (good)
		mark(supervisor, STRAY_OF_OPERATION);
	else
		end(supervisor, spare_known);
}

void strays_after_software(struct supervisor *supervisor)
{
	/* While an operation runs nobody can tell whose is whose; those are told apart when it is over. */
	if (!operation_runs(supervisor->operation))
		end(supervisor, spare_operations);
}

void strays_end_all(struct supervisor *supervisor)
{
	end(supervisor, spare_none);
}

#include "contract/vim.h"

struct observation *observation_new(struct arena *arena)
{
	struct observation *observation = g_new0(struct observation, 1);
	observation->arena = arena;
	observation->links = g_ptr_array_new();
	observation->vnfcs = g_ptr_array_new();
	observation->accesses = g_ptr_array_new();
	observation->strangers = g_ptr_array_new();
	return observation;
}

void observation_free(struct observation *observation)
{
	if (!observation)
		return;
	g_ptr_array_unref(observation->links);
	g_ptr_array_unref(observation->vnfcs);
	g_ptr_array_unref(observation->accesses);
	g_ptr_array_unref(observation->strangers);
	g_free(observation);
}

void vim_site_free(struct vim_site *site)
{
	g_free(site->owner);
	g_free(site->site);
	g_free(site->trouble);
	g_free(site);
}

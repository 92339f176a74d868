/* pleach-keeper --runtime FOLDER --owner OWNER --site SITE --leaf PROGRAM
 *
 * Starts the keeper of a site and returns when it listens (0), or with the reason why not on standard error (1). When one is
 * there already, that is success too. Started by the local VIM driver; nobody needs to call it by hand.
 *
 * SIGTERM to the keeper (its pid is in FOLDER/HASH/site.json) ends it in order, with every VNF of the site: it is for the service
 * manager's last word. SIGKILL ends it with every VNF at once; its guard clears away behind it.
 */
#include "keeper/keeper.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	g_autofree char *runtime = NULL, *owner = NULL, *site = NULL, *leaf = NULL;
	gboolean version = FALSE;
	const GOptionEntry entries[] = {
		{ "runtime", 0, 0, G_OPTION_ARG_FILENAME, &runtime, "Folder of the runtime folders of all sites", "FOLDER" },
		{ "owner", 0, 0, G_OPTION_ARG_STRING, &owner, "Tag of what is created", "OWNER" },
		{ "site", 0, 0, G_OPTION_ARG_STRING, &site, "Name of the site", "SITE" },
		{ "leaf", 0, 0, G_OPTION_ARG_FILENAME, &leaf, "The program pleach-leaf", "PROGRAM" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, "Keeps the links and VNFs of one site of the local VIM.");
	g_option_context_add_main_entries(context, entries, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "pleach-keeper: %s\n", error->message);
		return 64;
	}
	if (version) {
		printf("pleach-keeper %s\n", PLEACH_VERSION);
		return 0;
	}
	if (!runtime || !owner || !site || !leaf || argc > 1) {
		fprintf(stderr, "pleach-keeper: --runtime, --owner, --site and --leaf are all needed\n");
		return 64;
	}
	return keeper_start(&(struct start) { runtime, owner, site, leaf });
}

/* pleach: the command line of an operator. */
#include "base/json.h"
#include "cli/cli.h"
#include "registry.h"

int main(int argc, char **argv)
{
	json_wipe_freed();
	return cli_main(&registry, argc, argv);
}

/* pleach: the command line of an operator. */
#include "cli/cli.h"
#include "registry.h"

int main(int argc, char **argv)
{
	return cli_main(&registry, argc, argv);
}

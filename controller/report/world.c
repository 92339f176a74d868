#include "report/report.h"

#include "model/world.h"

char *report_world(const struct report_input *input)
{
	g_autoptr(json_t) json = world_to_json(input->observed, input->last);
	g_autofree char *text = json_text(json, 0);
	return g_strconcat(text, "\n", NULL);
}

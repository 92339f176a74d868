#include "report/report.h"

#include "model/world.h"

char *report_world(const struct report_input *input)
{
	g_autoptr(json_t) json = world_to_json(input->observed, input->last);
	if (input->repository)
		json_object_set_new(json, "repository", json_string(input->repository));
	g_autofree char *text = json_text(json, 0);
	return g_strconcat(text, "\n", NULL);
}

#include "model/sample.h"

#include "model/private.h"

static const struct {
	const char *name;
	size_t at;
} port_counters[] = {
	{ "rx_bytes", offsetof(struct sample_port, rx_bytes) },     { "rx_drops", offsetof(struct sample_port, rx_drops) },
	{ "rx_packets", offsetof(struct sample_port, rx_packets) }, { "tx_bytes", offsetof(struct sample_port, tx_bytes) },
	{ "tx_drops", offsetof(struct sample_port, tx_drops) },     { "tx_packets", offsetof(struct sample_port, tx_packets) },
}, counters[] = {
	{ "cpu_us", offsetof(struct sample, cpu_us) },         { "disk_bytes", offsetof(struct sample, disk_bytes) },
	{ "mem_bytes", offsetof(struct sample, mem_bytes) },   { "processes", offsetof(struct sample, processes) },
	{ "wall_us", offsetof(struct sample, wall_us) },
};

static void write_counter(json_t *json, const char *name, const void *of, size_t at)
{
	json_object_set_new(json, name, json_integer(*(const gint64 *) (const void *) ((const char *) of + at)));
}

json_t *sample_to_json(const struct sample *sample)
{
	json_t *json = json_object(), *ports = json_array();
	for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
		write_counter(json, counters[i].name, sample, counters[i].at);
	for (size_t i = 0; i < sample->n_ports; i++) {
		json_t *port = json_object();
		json_object_set_new(port, "cp", text_to_json(sample->ports[i].cp));
		for (size_t j = 0; j < G_N_ELEMENTS(port_counters); j++)
			write_counter(port, port_counters[j].name, &sample->ports[i], port_counters[j].at);
		json_array_append_new(ports, port);
	}
	json_object_set_new(json, "ports", ports);
	return json;
}

/* A member that is absent was not measured; one of another type, or below -1, makes the whole no sample. */
static bool read_counter(const json_t *json, const char *name, void *of, size_t at)
{
	const json_t *member = json_object_get(json, name);
	gint64 *counter = (gint64 *) (void *) ((char *) of + at);
	*counter = -1;
	if (!member)
		return true;
	*counter = json_integer_value(member);
	return json_is_integer(member) && *counter >= -1;
}

static bool read_port(struct arena *arena, const json_t *json, struct sample_port *port)
{
	const char *cp = json_string_value(json_object_get(json, "cp"));
	if (!cp)
		return false;
	port->cp = arena_strdup(arena, cp);
	for (size_t i = 0; i < G_N_ELEMENTS(port_counters); i++)
		if (!read_counter(json, port_counters[i].name, port, port_counters[i].at))
			return false;
	return true;
}

const struct sample *sample_from_json(struct arena *arena, const json_t *json)
{
	struct sample *sample = ARENA_NEW(arena, struct sample);
	const json_t *ports = json_object_get(json, "ports");
	if (!json_is_object(json) || (ports && !json_is_array(ports)) || json_array_size(ports) > SAMPLE_PORTS_MAX)
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
		if (!read_counter(json, counters[i].name, sample, counters[i].at))
			return NULL;
	size_t n = json_array_size(ports);
	struct sample_port *read = ARENA_ARRAY(arena, struct sample_port, n);
	for (size_t i = 0; i < n; i++)
		if (!read_port(arena, json_array_get(ports, i), &read[i]))
			return NULL;
	sample->ports = read;
	sample->n_ports = n;
	return sample;
}

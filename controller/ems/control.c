#include "ems/control.h"

#include "model/key.h"

#include <string.h>

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_operator(const struct subject *who, const char *name)
{
	static const char UID[] = "uid:", GROUP[] = "group:";
	if (g_str_has_prefix(name, UID)) {
		guint64 uid;
		return who->uid >= 0 && g_ascii_string_to_unsigned(name + strlen(UID), 10, 0, G_MAXUINT32, &uid, NULL) &&
		       uid == (guint64) who->uid;
	}
	if (g_str_has_prefix(name, GROUP))
		return who->groups && g_strv_contains(who->groups, name + strlen(GROUP));
	return who->user && strcmp(who->user, name) == 0;
}

static bool names(const struct access_rule *rule, const struct subject *who)
{
	if (who->ems)
		return has_name(rule->ems, rule->n_ems, who->ems);
	for (size_t i = 0; i < rule->n_operators; i++)
		if (is_operator(who, rule->operators[i]))
			return true;
	return false;
}

/* Does the rule keep @verb for subjects of this sort? */
static bool speaks_of(const struct access_rule *rule, const struct subject *who, enum access_verb verb)
{
	return (rule->verbs & 1u << verb) && (who->ems ? rule->n_ems : rule->n_operators) > 0;
}

static bool covers(const struct access_rule *rule, const char *key)
{
	for (size_t i = 0; i < rule->n_objects; i++)
		if (key_matches(key, rule->objects[i]))
			return true;
	return false;
}

static bool covers_everything(const struct access_rule *rule)
{
	return has_name(rule->objects, rule->n_objects, "**");
}

/* What one "may not" do. */
static const char *spoken(enum access_verb verb)
{
	if (verb == ACCESS_LOGS)
		return "read the logs of";
	if (verb == ACCESS_METRICS)
		return "read the metrics of";
	return verb == ACCESS_LIFECYCLE ? "install, start or stop" : access_verb_name(verb);
}

static bool refuse(const struct access_rule *rule, const struct subject *who, enum access_verb verb, const char *key, GError **error)
{
	g_autofree char *subject = who->ems  ? g_strdup_printf("EMS %s", who->ems) :
				   who->user ? g_strdup_printf("operator %s (uid %" G_GINT64_FORMAT ")", who->user, who->uid) :
				   who->uid < 0 ? g_strdup("whoever asks over TCP") :
						  g_strdup_printf("uid %" G_GINT64_FORMAT, who->uid);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH, "%s may not %s %s: policy \"%s\" (%s:%u)", subject, spoken(verb),
		    key ? key : "everything at once", rule->name, rule->origin.file ? rule->origin.file : "-", rule->origin.line);
	return false;
}

bool control_allows(const struct network *network, const struct subject *who, enum access_verb verb, const char *key, GError **error)
{
	const struct access_rule *against = NULL;
	for (size_t i = 0; network && i < network->n_access; i++) {
		const struct access_rule *rule = &network->access[i];
		if (!speaks_of(rule, who, verb) || (key && !covers(rule, key)))
			continue;
		bool named = names(rule, who);
		if (named && (key || covers_everything(rule)))
			return true;
		if (!named && !against)
			against = rule;
	}
	if (against)
		return refuse(against, who, verb, key, error);
	if (who->stranger)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH,
			    "uid %" G_GINT64_FORMAT " may not %s %s: only the user that pleachd runs as, root, and whom a policy names may",
			    who->uid, spoken(verb), key ? key : "everything at once");
	return !who->stranger;
}

bool control_names_operators(const struct network *network)
{
	for (size_t i = 0; network && i < network->n_access; i++)
		if (network->access[i].n_operators > 0)
			return true;
	return false;
}

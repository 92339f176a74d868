/* Scoped ownership for our structs, as g_autoptr() is for GLib's types (which wants a typedef; we have none).
 *
 *     AUTO_DEFINE(plan, plan_unref)            in the header, once
 *     auto_ptr(plan) plan = plan_make(...);    dropped at the end of the block; g_steal_pointer() passes it on
 */
#pragma once

#define AUTO_DEFINE(name, drop) \
	static inline __attribute__((unused)) void auto_drop_##name(struct name **held) \
	{ \
		if (*held) \
			drop(*held); \
	}

#define auto_ptr(name) __attribute__((cleanup(auto_drop_##name))) struct name *

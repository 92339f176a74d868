/* One thread's waiting: descriptors by epoll, and timers. What is removed while a round of events is handed out is not called any
 * more in that round. */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <stdint.h>
#include <sys/epoll.h>

struct loop;
struct loop_source;
struct loop_timer;

typedef void (*loop_event_fn)(void *data, uint32_t events);
typedef void (*loop_timer_fn)(void *data);

struct loop *loop_new(GError **error);
void loop_free(struct loop *loop);
AUTO_DEFINE(loop, loop_free)

/* The descriptor stays the caller's: remove the source before closing it. */
struct loop_source *loop_add(struct loop *loop, int fd, uint32_t events, loop_event_fn fn, void *data, GError **error);
void loop_modify(struct loop_source *source, uint32_t events);
void loop_remove(struct loop_source *source); /* NULL: nothing */

/* Once, after @after_ms; then the timer is gone by itself. */
struct loop_timer *loop_after(struct loop *loop, gint64 after_ms, loop_timer_fn fn, void *data);
void loop_cancel(struct loop_timer *timer); /* NULL: nothing */

/* One round: waits for something and hands it out. */
bool loop_turn(struct loop *loop, GError **error);

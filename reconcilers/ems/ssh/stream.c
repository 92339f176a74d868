#include "ems/ssh/private.h"

#include <string.h>

enum { PIECE_BYTES = 32 * 1024 };

typedef int (*request_fn)(ssh_channel channel, const void *data);

/* Asks until libssh has an answer. */
static bool ask(struct wire *wire, const struct call *call, ssh_channel channel, request_fn request, const void *data, const char *doing,
		GError **error)
{
	int rc;
	while ((rc = request(channel, data)) == SSH_AGAIN)
		if (!wire_turn(wire, call, error))
			return false;
	return rc == SSH_OK || wire_fail(wire, error, doing);
}

static int open_session(ssh_channel channel, const void *data)
{
	return ssh_channel_open_session(channel);
}

static int request_exec(ssh_channel channel, const void *data)
{
	return ssh_channel_request_exec(channel, data);
}

static int request_subsystem(ssh_channel channel, const void *data)
{
	return ssh_channel_request_subsystem(channel, data);
}

struct forward {
	const char *host;
	int port;
};

static int open_forward(ssh_channel channel, const void *data)
{
	const struct forward *to = data;
	return ssh_channel_open_forward(channel, to->host, to->port, "127.0.0.1", 0);
}

ssh_channel stream_open(struct wire *wire, const struct call *call, const struct command *command, GError **error)
{
	ssh_channel channel = ssh_channel_new(wire->session);
	if (!channel) {
		wire_fail(wire, error, "no channel");
		return NULL;
	}
	bool good = ask(wire, call, channel, open_session, NULL, "no channel", error);
	if (good)
		good = command->subsystem ? ask(wire, call, channel, request_subsystem, command->subsystem, "no subsystem", error)
					  : ask(wire, call, channel, request_exec, command->line, "no command", error);
	if (good)
		return channel;
	stream_drop(channel);
	return NULL;
}

ssh_channel stream_forward(struct wire *wire, const struct call *call, const char *host, unsigned port, GError **error)
{
	struct forward to = { host, (int) port };
	ssh_channel channel = ssh_channel_new(wire->session);
	if (channel && ask(wire, call, channel, open_forward, &to, "cannot connect", error))
		return channel;
	if (channel)
		stream_drop(channel);
	return NULL;
}

void stream_drop(ssh_channel channel)
{
	ssh_channel_close(channel);
	ssh_channel_free(channel);
}

gssize stream_read(struct wire *wire, const struct call *call, ssh_channel channel, void *buffer, size_t size, GError **error)
{
	for (;;) {
		int n = ssh_channel_read_nonblocking(channel, buffer, (uint32_t) size, 0);
		if (n > 0)
			return n;
		if (ssh_channel_is_eof(channel) || ssh_channel_is_closed(channel))
			return 0;
		if (n < 0 && n != SSH_AGAIN) {
			wire_fail(wire, error, "cannot read");
			return -1;
		}
		if (!wire_turn(wire, call, error))
			return -1;
	}
}

/* As much as the far side takes now; -1: @error. */
static gssize write_some(struct wire *wire, ssh_channel channel, const char *bytes, size_t length, GError **error)
{
	size_t n = MIN(MIN(length, PIECE_BYTES), ssh_channel_window_size(channel));
	if (n == 0)
		return 0;
	int done = ssh_channel_write(channel, bytes, (uint32_t) n);
	if (done == SSH_AGAIN)
		return 0;
	if (done < 0)
		wire_fail(wire, error, "cannot write");
	return done;
}

bool stream_write(struct wire *wire, const struct call *call, ssh_channel channel, const void *bytes, size_t length, GError **error)
{
	const char *at = bytes;
	while (length > 0) {
		gssize n = write_some(wire, channel, at, length, error);
		if (n < 0)
			return false;
		at += n;
		length -= (size_t) n;
		if (n == 0 && ssh_channel_is_closed(channel))
			return wire_fail(wire, error, "it stopped taking");
		/* Its window opens only when we read. */
		if (n == 0 && (ssh_channel_poll(channel, 0) == SSH_ERROR || !wire_turn(wire, call, error)))
			return error && *error ? false : wire_fail(wire, error, "cannot write");
	}
	return true;
}

/* --- one command ------------------------------------------------------------------------------------------------------------------ */

static bool take_output(struct command *command, const char *bytes, size_t n, bool is_error, GError **error)
{
	if (is_error) {
		gsize room = SSH_ERRORS_MAX_BYTES - MIN(command->errors->len, (gsize) SSH_ERRORS_MAX_BYTES);
		g_string_append_len(command->errors, bytes, (gssize) MIN(n, room));
		return true;
	}
	if (command->each) {
		command->enough = !command->each(bytes, n, command->data);
		return true;
	}
	g_string_append_len(command->output, bytes, (gssize) n);
	if (command->output->len <= SSH_REPLY_MAX_BYTES)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "it says more than %d bytes", SSH_REPLY_MAX_BYTES);
	return false;
}

/* Takes what has arrived of one stream; @ret_any: something had. */
static bool drain(struct wire *wire, ssh_channel channel, struct command *command, bool is_error, bool *ret_any, GError **error)
{
	char buffer[PIECE_BYTES];
	int n = ssh_channel_read_nonblocking(channel, buffer, sizeof(buffer), is_error);
	if (n > 0)
		*ret_any = true;
	if (n > 0 && !take_output(command, buffer, (size_t) n, is_error, error)) {
		wire->broken = true;
		return false;
	}
	if (n == SSH_ERROR && !ssh_channel_is_eof(channel) && !ssh_channel_is_closed(channel))
		return wire_fail(wire, error, "the command was cut off");
	return true;
}

struct feed {
	size_t sent;
	bool closed;
};

static bool feed_input(struct wire *wire, ssh_channel channel, const struct command *command, struct feed *feed, bool *ret_any, GError **error)
{
	if (feed->sent < command->n_input && !ssh_channel_is_eof(channel)) {
		gssize n = write_some(wire, channel, command->input + feed->sent, command->n_input - feed->sent, error);
		if (n < 0)
			return false;
		feed->sent += (size_t) n;
		*ret_any = *ret_any || n > 0;
	}
	if (feed->sent == command->n_input && !command->holds_input && !feed->closed) {
		feed->closed = true;
		ssh_channel_send_eof(channel);
	}
	return true;
}

static bool see_through(struct wire *wire, const struct call *call, ssh_channel channel, struct command *command, GError **error)
{
	struct feed feed = { 0 };
	for (;;) {
		bool any = false;
		if (!feed_input(wire, channel, command, &feed, &any, error) || !drain(wire, channel, command, false, &any, error) ||
		    !drain(wire, channel, command, true, &any, error))
			return false;
		if (command->enough)
			return true;
		if (any && call_is_over(call, error)) {
			wire->broken = true;
			return false;
		}
		if (any)
			continue;
		command->status = ssh_channel_get_exit_status(channel);
		bool ended = ssh_channel_is_closed(channel) || (ssh_channel_is_eof(channel) && command->status >= 0);
		if (ended && command->status < 0)
			return wire_fail(wire, error, "the command ended without an exit status");
		if (ended)
			return true;
		if (!ssh_is_connected(wire->session))
			return wire_fail(wire, error, "the connection was lost");
		if (!wire_turn(wire, call, error))
			return false;
	}
}

bool command_run(struct wire *wire, const struct call *call, struct command *command, GError **error)
{
	command->output = g_string_new(NULL);
	command->errors = g_string_new(NULL);
	ssh_channel channel = stream_open(wire, call, command, error);
	bool good = channel && see_through(wire, call, channel, command, error);
	if (channel)
		stream_drop(channel);
	return good;
}

void command_clear(struct command *command)
{
	if (command->output)
		g_string_free(command->output, TRUE);
	if (command->errors)
		g_string_free(command->errors, TRUE);
}

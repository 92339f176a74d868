/* SFTP version 3 (draft-ietf-secsh-filexfer-02), as much of it as puts files. libssh's own waits without a deadline for each answer. */
#include "ems/ssh/private.h"

#include <string.h>

enum {
	SFTP_INIT = 1, SFTP_VERSION = 2, SFTP_OPEN = 3, SFTP_CLOSE = 4, SFTP_WRITE = 6, SFTP_STATUS = 101, SFTP_HANDLE = 102,
	SFTP_PROTOCOL = 3,
	FLAGS_NEW_FILE = 0x02 | 0x08 | 0x10, /* write, create, truncate */
	ATTRIBUTE_MODE = 0x04,
	MODE_PRIVATE = 0600,
	PIECE_BYTES = 32 * 1024,
	ANSWER_MAX_BYTES = 64 * 1024,
	HANDLE_MAX_BYTES = 256, /* says the draft */
	UNANSWERED_MAX = 32,
};

struct sftp {
	struct wire *wire;
	const struct call *call;
	ssh_channel channel;
	guint32 next_id;
};

struct answer {
	guint8 type;
	guint8 bytes[ANSWER_MAX_BYTES];
	size_t length, at;
};

/* --- packets ---------------------------------------------------------------------------------------------------------------------- */

static void put_u32(GByteArray *packet, guint32 number)
{
	guint32 big = GUINT32_TO_BE(number);
	g_byte_array_append(packet, (const guint8 *) &big, sizeof(big));
}

static void put_u64(GByteArray *packet, guint64 number)
{
	put_u32(packet, (guint32) (number >> 32));
	put_u32(packet, (guint32) number);
}

static void put_bytes(GByteArray *packet, const void *bytes, size_t length)
{
	put_u32(packet, (guint32) length);
	g_byte_array_append(packet, bytes, (guint) length);
}

static GByteArray *packet_new(guint8 type, guint32 number)
{
	GByteArray *packet = g_byte_array_new();
	put_u32(packet, 0); /* its length, when it is known */
	g_byte_array_append(packet, &type, 1);
	put_u32(packet, number);
	return packet;
}

static bool send_packet(struct sftp *sftp, GByteArray *packet, GError **error)
{
	guint32 big = GUINT32_TO_BE(packet->len - 4);
	memcpy(packet->data, &big, sizeof(big));
	return stream_write(sftp->wire, sftp->call, sftp->channel, packet->data, packet->len, error);
}

static bool nonsense(struct sftp *sftp, GError **error, const char *what)
{
	sftp->wire->broken = true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "its sftp server talks nonsense: %s", what);
	return false;
}

static bool read_whole(struct sftp *sftp, void *buffer, size_t size, GError **error)
{
	for (char *at = buffer; size > 0;) {
		gssize n = stream_read(sftp->wire, sftp->call, sftp->channel, at, size, error);
		if (n < 0)
			return false;
		if (n == 0) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "its sftp server ended");
			return false;
		}
		at += n;
		size -= (size_t) n;
	}
	return true;
}

static bool read_answer(struct sftp *sftp, struct answer *answer, GError **error)
{
	guint32 length;
	if (!read_whole(sftp, &length, sizeof(length), error))
		return false;
	length = GUINT32_FROM_BE(length);
	if (length < 5 || length > ANSWER_MAX_BYTES)
		return nonsense(sftp, error, "an answer of impossible length");
	answer->length = length - 1;
	answer->at = 0;
	return read_whole(sftp, &answer->type, 1, error) && read_whole(sftp, answer->bytes, answer->length, error);
}

static guint32 get_u32(struct answer *answer)
{
	guint32 big = 0;
	if (answer->length - answer->at >= sizeof(big)) {
		memcpy(&big, answer->bytes + answer->at, sizeof(big));
		answer->at += sizeof(big);
	}
	return GUINT32_FROM_BE(big);
}

/* A string within the answer; NULL where it is none. */
static const guint8 *get_bytes(struct answer *answer, size_t *ret_length)
{
	size_t length = get_u32(answer);
	if (length > answer->length - answer->at)
		return NULL;
	const guint8 *bytes = answer->bytes + answer->at;
	answer->at += length;
	*ret_length = length;
	return bytes;
}

/* --- files -------------------------------------------------------------------------------------------------------------------------- */

/* The next answer is a status of request @id, and a good one. */
static bool expect_good(struct sftp *sftp, struct answer *answer, guint32 id, const char *name, GError **error)
{
	if (!read_answer(sftp, answer, error))
		return false;
	if (answer->type != SFTP_STATUS || answer->length < 8 || get_u32(answer) != id)
		return nonsense(sftp, error, "an answer to something else");
	guint32 code = get_u32(answer);
	if (code == 0)
		return true;
	size_t length = 0;
	const guint8 *words = get_bytes(answer, &length);
	g_autofree char *text = words ? g_utf8_make_valid((const char *) words, (gssize) MIN(length, 300)) : NULL;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "cannot put %s there: %s", name, text && *text ? text : "no reason was given");
	return false;
}

static bool open_file(struct sftp *sftp, struct answer *answer, const char *path, guint8 *handle, size_t *ret_length, GError **error)
{
	guint32 id = sftp->next_id++;
	g_autoptr(GByteArray) packet = packet_new(SFTP_OPEN, id);
	put_bytes(packet, path, strlen(path));
	put_u32(packet, FLAGS_NEW_FILE);
	put_u32(packet, ATTRIBUTE_MODE);
	put_u32(packet, MODE_PRIVATE);
	if (!send_packet(sftp, packet, error) || !read_answer(sftp, answer, error))
		return false;
	if (answer->type == SFTP_STATUS && answer->length >= 8 && get_u32(answer) == id) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "cannot make %s there: sftp status %u", path, get_u32(answer));
		return false;
	}
	const guint8 *bytes = answer->type == SFTP_HANDLE && get_u32(answer) == id ? get_bytes(answer, ret_length) : NULL;
	if (!bytes || *ret_length > HANDLE_MAX_BYTES)
		return nonsense(sftp, error, "no handle for a file");
	memcpy(handle, bytes, *ret_length);
	return true;
}

static bool send_piece(struct sftp *sftp, const guint8 *handle, size_t handle_length, guint64 at, const char *bytes, size_t length, GError **error)
{
	g_autoptr(GByteArray) packet = packet_new(SFTP_WRITE, sftp->next_id++);
	put_bytes(packet, handle, handle_length);
	put_u64(packet, at);
	put_bytes(packet, bytes, length);
	bool good = send_packet(sftp, packet, error);
	explicit_bzero(packet->data, packet->len); /* it may hold secrets */
	return good;
}

static bool put_file(struct sftp *sftp, struct answer *answer, const struct upload *upload, GError **error)
{
	guint8 handle[HANDLE_MAX_BYTES];
	size_t handle_length = 0, sent = 0;
	g_autofree char *path = g_strdup_printf("%s/nf/stage/%s", sftp->wire->folder, upload->name);
	if (!open_file(sftp, answer, path, handle, &handle_length, error))
		return false;
	guint32 answered = sftp->next_id;
	while (sent < upload->length || answered < sftp->next_id) {
		if (sent < upload->length && sftp->next_id - answered < UNANSWERED_MAX) {
			size_t n = MIN(upload->length - sent, (size_t) PIECE_BYTES);
			if (!send_piece(sftp, handle, handle_length, sent, (const char *) upload->bytes + sent, n, error))
				return false;
			sent += n;
		} else if (!expect_good(sftp, answer, answered++, upload->name, error)) {
			return false;
		}
	}
	guint32 id = sftp->next_id++;
	g_autoptr(GByteArray) packet = packet_new(SFTP_CLOSE, id);
	put_bytes(packet, handle, handle_length);
	return send_packet(sftp, packet, error) && expect_good(sftp, answer, id, upload->name, error);
}

static bool begin(struct sftp *sftp, struct answer *answer, GError **error)
{
	g_autoptr(GByteArray) packet = packet_new(SFTP_INIT, SFTP_PROTOCOL);
	if (!send_packet(sftp, packet, error) || !read_answer(sftp, answer, error))
		return false;
	return answer->type == SFTP_VERSION ? true : nonsense(sftp, error, "no version");
}

bool sftp_upload(struct wire *wire, const struct call *call, const struct upload *uploads, size_t n, GError **error)
{
	const struct command command = { .subsystem = "sftp" };
	struct sftp sftp = { .wire = wire, .call = call, .next_id = 1 };
	sftp.channel = stream_open(wire, call, &command, error);
	if (!sftp.channel) {
		/* A refused subsystem leaves the connection as it was. */
		if (ssh_is_connected(wire->session) && error && *error && pleach_error_code(*error) == PLEACH_ERROR_RETRY) {
			(*error)->code = PLEACH_ERROR_UNSUPPORTED;
			wire->broken = false;
		}
		return false;
	}
	struct answer *answer = g_new(struct answer, 1);
	bool good = begin(&sftp, answer, error);
	for (size_t i = 0; i < n && good; i++)
		good = put_file(&sftp, answer, &uploads[i], error);
	g_free(answer);
	stream_drop(sftp.channel);
	return good;
}

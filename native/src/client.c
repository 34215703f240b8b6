// See client.h. Everything a client sends is untrusted: lengths are checked against what was promised by credits.
#include "client.h"

#include <linux/mman.h>

#include "status.h"
#include "sys.h"
#include "text.h"

#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000

struct client clients[MAX_CLIENTS];
// Apart from the records, page by page untouched until a client is slow or sends input.
static uint8_t out_bytes[MAX_CLIENTS][CLIENT_OUT_SIZE] __attribute__((aligned(4096)));
static uint8_t in_bytes[MAX_CLIENTS][CLIENT_IN_SIZE] __attribute__((aligned(4096)));
static uint8_t control_bytes[MAX_CLIENTS][CLIENT_CONTROL_SIZE] __attribute__((aligned(4096)));
static uint8_t scratch[16384];

static size_t index_of(const struct client *c) { return (size_t)(c - clients); }

void clients_begin(void) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) clients[i].fd = -1;
}

struct client *client_add(int fd, bool owner) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    struct client *c = &clients[i];
    if (c->fd >= 0) continue;
    *c = (struct client){.fd = fd, .owner = owner};
    uint32_t version = __builtin_bswap32(WIRE_VERSION);
    client_send(c, FRAME_HELLO, &version, sizeof version);
    return c;
  }
  (void)sys_close(fd);
  return NULL;
}

// The pages of its buffers go back to the kernel: an idle supervisor stays small.
void client_close(struct client *c) {
  if (c->fd < 0) return;
  (void)sys_close(c->fd);
  c->fd = -1;
  (void)sys3(__NR_madvise, out_bytes[index_of(c)], CLIENT_OUT_SIZE, 4 /* MADV_DONTNEED */);
  (void)sys3(__NR_madvise, in_bytes[index_of(c)], CLIENT_IN_SIZE, 4 /* MADV_DONTNEED */);
  handle_gone(c);
}

static void ring_put(struct ring *ring, uint8_t *bytes, uint32_t size, const void *from, uint32_t length) {
  uint32_t at = (ring->start + ring->length) % size;
  uint32_t first = length < size - at ? length : size - at;
  copy_bytes(bytes + at, from, first);
  copy_bytes(bytes, (const uint8_t *)from + first, length - first);
  ring->length += length;
}

static void ring_take(struct ring *ring, uint32_t size, uint32_t length) {
  ring->length -= length;
  ring->start = ring->length == 0 ? 0 : (ring->start + length) % size;
}

static const uint8_t *ring_front(const struct ring *ring, const uint8_t *bytes, uint32_t size, uint32_t *length) {
  uint32_t left = size - ring->start;
  *length = ring->length < left ? ring->length : left;
  return bytes + ring->start;
}

void client_flush(struct client *c) {
  while (c->fd >= 0 && c->out.length > 0) {
    uint32_t length;
    const uint8_t *at = ring_front(&c->out, out_bytes[index_of(c)], CLIENT_OUT_SIZE, &length);
    long sent = sys6(__NR_sendto, c->fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (sent == -EINTR) continue;
    if (sent == -EAGAIN) {
      if (c->stalled_since == 0) c->stalled_since = now_ns();
      return;
    }
    if (sent < 0) {
      client_close(c);
      return;
    }
    ring_take(&c->out, CLIENT_OUT_SIZE, (uint32_t)sent);
    c->stalled_since = 0;
  }
}

void client_send(struct client *c, uint32_t type, const void *payload, uint32_t length) {
  uint8_t header[8] = {(uint8_t)type, 0, 0, 0, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                       (uint8_t)length};
  if (c->fd < 0) return;
  if (c->out.length + sizeof header + length > CLIENT_OUT_SIZE) {
    client_close(c);
    return;
  }
  uint8_t *bytes = out_bytes[index_of(c)];
  ring_put(&c->out, bytes, CLIENT_OUT_SIZE, header, sizeof header);
  ring_put(&c->out, bytes, CLIENT_OUT_SIZE, payload, length);
  client_flush(c);
}

void clients_output(int stream, const char *data, uint32_t length) {
  uint32_t wanted = stream == 1 ? CLIENT_STDOUT : CLIENT_STDERR;
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd < 0 || (clients[i].streams & wanted) == 0) continue;
    client_send(&clients[i], stream == 1 ? FRAME_STDOUT : FRAME_STDERR, data, length);
  }
}

// Half a buffer stays free, so that the exit of a container whose pipes are full still fits.
bool clients_congested(void) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].out.length > CLIENT_OUT_SIZE / 4) return true;
  }
  return false;
}

bool clients_drained(void) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].out.length > 0) return false;
  }
  return true;
}

void clients_drop_stalled(uint64_t now) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    struct client *c = &clients[i];
    bool stalled = c->fd >= 0 && !c->owner && c->stalled_since != 0;
    if (stalled && now - c->stalled_since > CLIENT_STALL_NS) client_close(c);
  }
}

static uint32_t body_length(const struct client *c) {
  return (uint32_t)c->header[4] << 24 | (uint32_t)c->header[5] << 16 | (uint32_t)c->header[6] << 8 | c->header[7];
}

static bool begin_body(struct client *c) {
  uint32_t length = body_length(c);
  bool input = c->header[0] == FRAME_STDIN;
  uint32_t limit = input ? CLIENT_IN_SIZE - c->in.length : CLIENT_CONTROL_SIZE;
  c->body_left = length;
  c->control_length = 0;
  return length <= limit && (!input || (c->streams & CLIENT_STDIN) != 0);
}

static void end_body(struct client *c) {
  c->header_length = 0;
  if (c->header[0] != FRAME_STDIN) {
    handle_frame(c, c->header[0], c->header[1], control_bytes[index_of(c)], c->control_length);
  }
}

static uint32_t take_body(struct client *c, const uint8_t *data, uint32_t length) {
  uint32_t n = length < c->body_left ? length : c->body_left;
  if (c->header[0] == FRAME_STDIN) {
    ring_put(&c->in, in_bytes[index_of(c)], CLIENT_IN_SIZE, data, n);
  } else {
    copy_bytes(control_bytes[index_of(c)] + c->control_length, data, n);
    c->control_length += n;
  }
  c->body_left -= n;
  return n;
}

// Consumes a chunk; false when the client broke the protocol or was closed by a handler.
static bool take_chunk(struct client *c, const uint8_t *data, uint32_t length) {
  while (length > 0) {
    uint32_t n = 1;
    if (c->header_length < sizeof c->header) {
      c->header[c->header_length++] = *data;
      if (c->header_length == sizeof c->header && !begin_body(c)) return false;
    } else {
      n = take_body(c, data, length);
    }
    if (c->header_length == sizeof c->header && c->body_left == 0) end_body(c);
    if (c->fd < 0) return false;
    data += n;
    length -= n;
  }
  return true;
}

void client_receive(struct client *c) {
  long got = sys6(__NR_recvfrom, c->fd, scratch, sizeof scratch, MSG_DONTWAIT, 0, 0);
  if (got == -EAGAIN || got == -EINTR) return;
  bool fine = got > 0 && take_chunk(c, scratch, (uint32_t)got);
  if (!fine) client_close(c);
}

const uint8_t *client_input(const struct client *c, uint32_t *length) {
  return ring_front(&c->in, in_bytes[index_of(c)], CLIENT_IN_SIZE, length);
}

void client_input_done(struct client *c, uint32_t length) {
  uint32_t credit = __builtin_bswap32(length);
  ring_take(&c->in, CLIENT_IN_SIZE, length);
  client_send(c, FRAME_CREDIT, &credit, sizeof credit);
}

static bool receive_exactly(int fd, uint8_t *into, uint32_t length) {
  while (length > 0) {
    long got = sys6(__NR_recvfrom, fd, into, length, 0, 0, 0);
    if (got == -EINTR) continue;
    if (got <= 0) return false;
    into += got;
    length -= (uint32_t)got;
  }
  return true;
}

const uint8_t *client_await(struct client *c, uint32_t type, uint32_t *length) {
  uint8_t *body = control_bytes[index_of(c)];
  while (c->fd >= 0 && receive_exactly(c->fd, c->header, sizeof c->header)) {
    *length = body_length(c);
    if (*length > CLIENT_CONTROL_SIZE || !receive_exactly(c->fd, body, *length)) break;
    if (c->header[0] == type) return body;
  }
  return NULL;
}

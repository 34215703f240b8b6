// lap-fuzz: inputs from standard input, each {length u32 LE, kind u8, bytes}, to the two parsers of foreign bytes: 'p' the launch plan,
// 'c' what a client of a supervisor sends. Built with sanitizers only; they judge, this program just feeds.
#include "client.h"
#include "plan.h"
#include "sys.h"
#include "text.h"

#define MAX_INPUT (1024U * 1024)

static uint8_t input[MAX_INPUT];

int lap_main(int argc, char **argv, char **envp);

void handle_frame(struct client *c, uint32_t type, uint32_t flags, const uint8_t *payload, uint32_t length) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < length; i++) sum += payload[i];
  if (type == FRAME_ATTACH) c->streams = flags;
  if (type == FRAME_WAIT + 100 + (sum & 1)) client_close(c);
}

void handle_gone(struct client *c) { c->streams = 0; }

static bool read_exactly(uint8_t *into, size_t length) {
  while (length > 0) {
    long got = sys_read(0, into, length);
    if (got <= 0) return false;
    into += got;
    length -= (size_t)got;
  }
  return true;
}

// Reads an operation's fields as every kind, in an order that the bytes choose.
static void read_fields(struct cursor fields, uint32_t seed) {
  for (int i = 0; i < 16 && !fields.bad; i++, seed = seed * 1103515245U + 12345U) {
    switch (seed >> 16 & 3U) {
      case 0: (void)get_u32(&fields); break;
      case 1: (void)get_str(&fields); break;
      case 2: (void)get_bytes(&fields); break;
      default: (void)get_strs(&fields);
    }
  }
}

// The bytes are copied to the end of a mapping of their own, so that one byte too far is a fault.
static void feed_plan(const uint8_t *bytes, size_t size) {
  struct plan plan;
  if (plan_parse(bytes, size, &plan) != 0) return;
  struct cursor ops = plan.ops;
  struct cursor fields;
  uint32_t code;
  while (plan_next(&ops, &code, &fields)) read_fields(fields, code);
  for (uint32_t i = 0; i < plan.reap_argv.count; i++) (void)get_str(&plan.reap_argv.items);
}

static void feed_client(const uint8_t *bytes, size_t size) {
  int pair[2];
  if (sys4(__NR_socketpair, 1, 1 | LAP_O_CLOEXEC, 0, pair) < 0) return;
  clients_begin();
  struct client *c = client_add(pair[0], false);
  for (size_t sent = 0; sent < size && c->fd >= 0;) {
    size_t chunk = size - sent < 4096 ? size - sent : 4096;
    if (write_all(pair[1], bytes + sent, chunk) != 0) break;
    sent += chunk;
    client_receive(c);
    uint32_t length;
    (void)client_input(c, &length);
    if (c->fd >= 0 && length > 0) client_input_done(c, length);
  }
  client_close(c);
  (void)sys_close(pair[1]);
}

int lap_main(int argc, char **argv, char **envp) {
  uint8_t header[5];
  (void)argc;
  (void)argv;
  (void)envp;
  while (read_exactly(header, sizeof header)) {
    uint32_t length = (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24;
    if (length > MAX_INPUT || !read_exactly(input + MAX_INPUT - length, length)) return 2;
    if (header[4] == 'p') feed_plan(input + MAX_INPUT - length, length);
    else feed_client(input + MAX_INPUT - length, length);
  }
  return 0;
}

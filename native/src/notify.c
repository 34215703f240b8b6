// A seccomp filter with a listener (seccomp_unotify(2)): the first process installs it (op_seccomp.c), the supervisor, which still
// sees the host's files, hands the listener to the agent with the state of the container (config-linux.md "Seccomp", listenerPath).
#include "notify.h"

#include "local.h"
#include "sys.h"
#include "text.h"

#define PID_MARK '\1'

// The state as JSON, with the pid wherever the caller could not know it.
static size_t fill_state(char *into, size_t size, const char *state, uint32_t pid) {
  struct text t = text_in(into, size);
  for (const char *mark; (mark = text_find(state, PID_MARK)) != NULL; state = mark + 1) {
    text_add_bytes(&t, state, (size_t)(mark - state));
    text_add_number(&t, pid);
  }
  text_add(&t, state);
  return t.full ? 0 : t.length;
}

static int deliver(struct cursor *fields, uint32_t pid, int listener, const char **path) {
  static char filled[STATE_SIZE];
  (void)get_u32(fields);
  (void)get_bytes(fields);
  *path = get_str(fields);
  const char *state = get_str(fields);
  if (fields->bad) return EBADMSG;
  size_t length = fill_state(filled, sizeof filled, state, pid);
  if (length == 0) return E2BIG;
  AUTO_FD socket = connect_to(*path);
  return socket < 0 ? -socket : send_descriptor(socket, listener, filled, length);
}

int hand_over_listener(const struct plan *plan, uint32_t pid, int fd, struct channel_message *message) {
  AUTO_FD listener = fd;
  struct cursor ops = plan->ops;
  struct cursor fields;
  uint32_t code;
  for (uint32_t index = 0; plan_next(&ops, &code, &fields); index++) {
    if (code != OP_SECCOMP_NOTIFY) continue;
    const char *path = "";
    int error = deliver(&fields, pid, listener, &path);
    if (error == 0) return 0;
    // runc's words: its suite reads them.
    struct text t = text_in(message->detail, sizeof message->detail);
    text_add(&t, "failed to connect with seccomp agent \"");
    text_add(&t, path);
    text_add(&t, "\"");
    message->op_index = index;
    return error;
  }
  return EPROTO;
}

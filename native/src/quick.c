// See quick.h. Only what succeeds is done here: at the first doubt (an unknown flag, an unexpected state, a hook) the whole
// command goes to Node, which does it or says why not. So no error text and no policy lives here.
#include "quick.h"

#include <linux/poll.h>

#include "record.h"
#include "sys.h"
#include "text.h"

#define GATE_TRIES 600
#define DEATH_MS 10000
#define REMOVE_TRIES 400
#define SIGKILL 9

struct command_line {
  const char *root;
  const char *verb;
  const char *words[3];
  int count;
  bool force;
};

struct time {
  int64_t seconds, nanoseconds;
};

// "--name value" or "--name=value"; moves `i` past the value. NULL when `arg` is another flag.
static const char *flag_value(char **argv, int argc, int *i, const char *name) {
  const char *arg = argv[*i];
  size_t length = text_length(name);
  for (size_t n = 0; n < length; n++) {
    if (arg[n] != name[n]) return NULL;
  }
  if (arg[length] == '=') return arg + length + 1;
  if (arg[length] != 0 || *i + 1 >= argc) return NULL;
  return argv[++*i];
}

static bool global_flag(char **argv, int argc, int *i, struct command_line *line) {
  const char *root = flag_value(argv, argc, i, "--root");
  if (root != NULL) line->root = root;
  return root != NULL || flag_value(argv, argc, i, "--log-format") != NULL || flag_value(argv, argc, i, "--log") != NULL;
}

static bool parse(int argc, char **argv, struct command_line *line) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (!global_flag(argv, argc, &i, line)) return false;
  }
  if (i >= argc) return false;
  line->verb = argv[i++];
  for (; i < argc; i++) {
    if (text_equal(argv[i], "--force") || text_equal(argv[i], "-f")) line->force = true;
    else if (argv[i][0] == '-' || line->count == 3) return false;
    else line->words[line->count++] = argv[i];
  }
  return line->count > 0;
}

// An id is one plain name: it becomes part of a path.
static bool plain_id(const char *id) {
  for (const char *at = id; *at != 0; at++) {
    bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
    if (!letter && *at != '_' && *at != '-' && *at != '+' && *at != '.') return false;
  }
  return id[0] != 0 && id[0] != '.' && text_length(id) <= 255;
}

static int print_state(int dir, const struct record *record) {
  static const char *names[] = {"stopped", "created", "running", "paused"};
  static char out[66000];
  enum life life = record_life(dir, record);
  struct text t = text_in(out, sizeof out);
  text_add(&t, record->head);
  text_add(&t, ",\"status\":\"");
  text_add(&t, names[life]);
  text_add(&t, "\",");
  if (life != LIFE_STOPPED) {
    text_add(&t, "\"pid\":");
    text_add_number(&t, record->pid);
    text_add(&t, ",");
  }
  text_add(&t, record->tail);
  text_add(&t, "\n");
  return t.full || write_all(1, out, t.length) != 0 ? QUICK_NOT_MINE : 0;
}

static long size_of(int dir, const char *name) {
  AUTO_FD fd = sys_openat(dir, name, LAP_O_RDONLY | LAP_O_NOFOLLOW, 0);
  return fd < 0 ? fd : sys3(__NR_lseek, fd, 0, 2 /* SEEK_END */);
}

// The process closes its end by exec: then nobody reads, and the writer gets POLLERR (op_gate.c).
static int open_gate(int dir, const struct record *record) {
  if ((record->flags & RECORD_SLOW_START) != 0 || record_life(dir, record) != LIFE_CREATED) return QUICK_NOT_MINE;
  AUTO_FD fd = sys_openat(dir, "exec.fifo", LAP_O_WRONLY | LAP_O_NONBLOCK, 0);
  if (fd < 0 || sys_write(fd, "0", 1) != 1) return QUICK_NOT_MINE;
  for (int i = 0; i < GATE_TRIES; i++) {
    struct pollfd set = {.fd = fd, .events = 0};
    struct time limit = {0, 100000000};
    if (sys5(__NR_ppoll, &set, 1, &limit, NULL, 8) > 0 && (set.revents & POLLERR) != 0) break;
  }
  if (size_of(dir, "exec.error") != 0) return QUICK_NOT_MINE;
  (void)sys3(__NR_unlinkat, dir, "exec.fifo", 0);
  return 0;
}

static int signal_number(const char *word) {
  static const struct {
    const char *name;
    int number;
  } known[] = {{"HUP", 1}, {"INT", 2}, {"QUIT", 3}, {"KILL", 9}, {"USR1", 10}, {"USR2", 12}, {"TERM", 15}, {"CONT", 18}};
  if (word == NULL) return 15;
  if (text_equal(word, "0")) return 0;  // kill(2): only asks
  if (word[0] >= '1' && word[0] <= '9' && (word[1] == 0 || (word[1] >= '0' && word[1] <= '9' && word[2] == 0))) {
    return (int)parse_number(word);
  }
  if (word[0] == 'S' && word[1] == 'I' && word[2] == 'G') word += 3;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (text_equal(word, known[i].name)) return known[i].number;
  }
  return -1;
}

static int send(const struct record *record, const char *word) {
  int signal = signal_number(word);
  if (signal == SIGKILL && (record->flags & RECORD_SHARED_PIDS) != 0) return QUICK_NOT_MINE;
  AUTO_FD process = signal < 0 || signal > 64 ? -1 : record_open_process(record);
  if (process < 0) return QUICK_NOT_MINE;
  return sys4(__NR_pidfd_send_signal, process, signal, NULL, 0) == 0 ? 0 : QUICK_NOT_MINE;
}

static bool end_process(const struct record *record) {
  AUTO_FD process = record_open_process(record);
  if (process < 0) return true;
  struct pollfd set = {.fd = process, .events = POLLIN};
  struct time limit = {DEATH_MS / 1000, 0};
  if (sys4(__NR_pidfd_send_signal, process, SIGKILL, NULL, 0) != 0) return false;
  return sys5(__NR_ppoll, &set, 1, &limit, NULL, 8) > 0;
}

static bool remove_cgroup(const char *path) {
  char kill[4200];
  struct text t = text_in(kill, sizeof kill);
  text_add(&t, path);
  text_add(&t, "/cgroup.kill");
  for (int i = 0; i < REMOVE_TRIES; i++) {
    long ret = sys3(__NR_unlinkat, LAP_AT_FDCWD, path, 0x200 /* AT_REMOVEDIR */);
    if (ret == 0 || ret == -ENOENT) return true;
    if (ret != -EBUSY) return false;
    if (i == 1) (void)write_file(kill, "1");
    nap(i < 20 ? 1 : 5);
  }
  return false;
}

static bool remove_cgroups(struct list paths) {
  bool all = true;
  for (uint32_t i = 0; i < paths.count; i++) {
    if (!remove_cgroup(get_str(&paths.items))) all = false;
  }
  return all;
}

// The supervisor of a container that `run` kept may be writing its last status.
static int remove_directory(int root, int dir, const char *id) {
  static const char *written[] = {"status.tmp", "status", "ctl.sock"};
  for (int i = 0; i < REMOVE_TRIES; i++) {
    for (size_t at = 0; at < sizeof written / sizeof written[0]; at++) (void)sys3(__NR_unlinkat, dir, written[at], 0);
    long ret = sys3(__NR_unlinkat, root, id, 0x200 /* AT_REMOVEDIR */);
    if (ret == 0 || ret == -ENOENT) return 0;
    if (ret != -ENOTEMPTY) break;
    nap(i < 20 ? 1 : 5);
  }
  return QUICK_NOT_MINE;
}

// The record goes last but one: while it is there, a second delete can do the rest.
static int remove_container(int root, int dir, const char *id, const struct record *record, bool force) {
  static const char *files[] = {"exec.fifo", "exec.error", "config.json", "state.json", "record"};
  enum life life = record_life(dir, record);
  bool allowed = life == LIFE_STOPPED || life == LIFE_CREATED || (force && life == LIFE_RUNNING);
  if ((record->flags & (RECORD_SLOW_DELETE | RECORD_SHARED_PIDS)) != 0 || !allowed) return QUICK_NOT_MINE;
  if (!end_process(record) || !remove_cgroups(record->cgroups)) return QUICK_NOT_MINE;
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) (void)sys3(__NR_unlinkat, dir, files[i], 0);
  return remove_directory(root, dir, id);
}

static int set_frozen(int dir, const struct record *record, bool frozen) {
  enum life expected = frozen ? LIFE_RUNNING : LIFE_PAUSED;
  char events[4200];
  char content[256];
  size_t length = text_length(record->freezer_file);
  if (record_life(dir, record) != expected || length < 13) return QUICK_NOT_MINE;
  if (!text_equal(record->freezer_file + length - 13, "cgroup.freeze")) return QUICK_NOT_MINE;
  if (write_file(record->freezer_file, frozen ? "1" : "0") != 0) return QUICK_NOT_MINE;
  struct text t = text_in(events, sizeof events);
  text_add_bytes(&t, record->freezer_file, length - 13);
  text_add(&t, "cgroup.events");
  for (int i = 0; i < 2000; i++) {
    if (read_file(events, content, sizeof content) <= 0) return QUICK_NOT_MINE;
    if (text_search(content, frozen ? "frozen 1" : "frozen 0") != NULL) return 0;
    nap(1);
  }
  return QUICK_NOT_MINE;
}

static int dispatch(const struct command_line *line, int root, int dir, const struct record *record) {
  if (text_equal(line->verb, "kill") && line->count <= 2 && !line->force) return send(record, line->words[1]);
  if (line->count != 1) return QUICK_NOT_MINE;
  if (text_equal(line->verb, "delete")) return remove_container(root, dir, line->words[0], record, line->force);
  if (line->force) return QUICK_NOT_MINE;
  if (text_equal(line->verb, "state")) return print_state(dir, record);
  if (text_equal(line->verb, "start")) return open_gate(dir, record);
  if (text_equal(line->verb, "pause")) return set_frozen(dir, record, true);
  if (text_equal(line->verb, "resume")) return set_frozen(dir, record, false);
  return QUICK_NOT_MINE;
}

int quick_command(int argc, char **argv) {
  struct command_line line = {.root = sys0(__NR_geteuid) == 0 ? "/run/lap-runtime" : NULL};
  struct record record;
  if (!parse(argc, argv, &line) || line.root == NULL || !plain_id(line.words[0])) return QUICK_NOT_MINE;
  AUTO_FD root = sys_open(line.root, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  AUTO_FD dir = root < 0 ? -1 : sys_openat(root, line.words[0], LAP_O_PATH | LAP_O_DIRECTORY | LAP_O_NOFOLLOW, 0);
  bool gone = root >= 0 && dir == -ENOENT;
  if (gone && line.force && text_equal(line.verb, "delete") && line.count == 1) return 0;
  if (dir < 0 || record_read(dir, &record) != 0) return QUICK_NOT_MINE;
  return dispatch(&line, root, dir, &record);
}

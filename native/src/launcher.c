// lap and lap-runtime: tiny launchers. They find themselves by /proc/self/exe, read `lap.conf` beside them (line 1 the
// Node binary, 2 and 3 the bundles, 4 and 5 their sources, relative to the launcher's directory; further lines are options of Node)
// and exec.
// argv[0] decides the command: LAP_COMMAND is what this file was compiled for, "" or "runtime".
#include "quick.h"
#include "sys.h"
#include "text.h"

#ifndef LAP_BUNDLE_LINE
#define LAP_BUNDLE_LINE 1
#endif
#define MAX_ARGS 8192
#define MAX_LINES 8
#define OPTION_LINE 5

int lap_main(int argc, char **argv, char **envp);

static char directory[4096];
static char config[8192];
static char *lines[MAX_LINES];
static char resolved[MAX_LINES][4096];
static char *arguments[MAX_ARGS];

static int refuse(const char *what, const char *path) {
  char message[4600];
  struct text t = text_in(message, sizeof message);
  text_add(&t, "lap: ");
  text_add(&t, what);
  text_add(&t, " '");
  text_add(&t, path);
  text_add(&t, "'\n");
  (void)write_all(2, message, t.length);
  return 125;
}

static bool find_directory(void) {
  long got = sys4(__NR_readlinkat, LAP_AT_FDCWD, "/proc/self/exe", directory, sizeof directory - 1);
  if (got <= 0) return false;
  while (got > 0 && directory[got - 1] != '/') got--;
  directory[got] = 0;
  return true;
}

static bool read_config(void) {
  char path[4200];
  struct text t = text_in(path, sizeof path);
  text_add(&t, directory);
  text_add(&t, "lap.conf");
  long got = read_file(path, config, sizeof config);
  if (got <= 0) return false;
  int n = 0;
  for (char *at = config; *at != 0 && n < MAX_LINES; n++) {
    lines[n] = at;
    while (*at != 0 && *at != '\n') at++;
    if (*at == '\n') *at++ = 0;
  }
  return n >= 2;
}

// A path of the configuration; options of Node (they begin with "-") stay as they are.
static char *resolve(int line) {
  char *text = lines[line];
  if (text[0] == '/' || text[0] == '-') return text;
  struct text t = text_in(resolved[line], sizeof resolved[line]);
  text_add(&t, directory);
  text_add(&t, text);
  return resolved[line];
}

static bool exists(const char *path) { return sys4(__NR_faccessat, LAP_AT_FDCWD, path, 0, 0) == 0; }

// Without a built bundle a clone runs the sources.
static int node_arguments(int n) {
  char *bundle = resolve(LAP_BUNDLE_LINE);
  char *source = lines[LAP_BUNDLE_LINE + 2] == NULL ? NULL : resolve(LAP_BUNDLE_LINE + 2);
  if (!exists(bundle) && source != NULL && exists(source)) {
    static char condition[] = "--conditions=@lapstrake/source";
    arguments[n++] = condition;
    bundle = source;
  }
  for (int i = OPTION_LINE; i < MAX_LINES && lines[i] != NULL; i++) {
    if (lines[i][0] == '-') arguments[n++] = lines[i];
  }
  static char end_of_options[] = "--"; // Node looks for its own --env-file in all that follows, our arguments too
  arguments[n++] = end_of_options;
  arguments[n++] = bundle;
  return exists(bundle) ? n : -1;
}

int lap_main(int argc, char **argv, char **envp) {
#if LAP_BUNDLE_LINE == 2
  int code = quick_command(argc, argv);
  if (code != QUICK_NOT_MINE) return code;
#endif
  if (!find_directory()) return refuse("cannot find its own place by", "/proc/self/exe");
  if (!read_config()) return refuse("no usable lap.conf in", directory);
  char *node = resolve(0);
  arguments[0] = node;
  int n = node_arguments(1);
  if (n < 0) return refuse("the program bundle is missing:", resolve(LAP_BUNDLE_LINE));
  if (argc + n >= MAX_ARGS) return refuse("too many arguments for", argv[0]);
  for (int i = 1; i < argc; i++) arguments[n++] = argv[i];
  (void)sys3(__NR_execve, node, arguments, envp);
  return refuse("cannot run the Node binary", node);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What torture does in the guest faster than a shell could, counted. One line on standard output.
 *
 *   fire attributes SECONDS SEED KEEP APART FILE...  four processes, one on each processor, read and write
 *       the files with random and boundary values; bits of KEEP stay set in each valid value. With APART 0
 *       all write all; else that many files belong to a device, and no two processes write to the same device
 *   fire rebind SECONDS DRIVER DEVICE          unbind and bind
 *   fire surprise PORT                         the port's slot is switched off under the device in it
 *   fire reload ROUNDS MODULE.ko...            load in this order, unload in the reverse one
 *   fire faults DRIVER DEVICE                  each allocation of bind, then of unbind, fails in turn
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int put(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	int ret;

	if (file < 0)
		return -errno;
	ret = write(file, text, strlen(text)) < 0 ? -errno : 0;
	close(file);
	return ret;
}

static int get(const char *path)
{
	char text[128];
	int file = open(path, O_RDONLY);
	int ret;

	if (file < 0)
		return -errno;
	ret = read(file, text, sizeof(text)) < 0 ? -errno : 0;
	close(file);
	return ret;
}

/* Half of what is written is valid for a device of up to three events; the rest is not. */
static void choose(char *text, size_t size, unsigned int keep)
{
	static const char *const bounds[] = {
		"ffffffff", "100000000", "-1", "", "\n", "0x", "8", "80", "ff", "g", "1 ", "00000000000000001",
	};

	if (random() % 2)
		snprintf(text, size, "%lx\n", (random() % 8) | keep);
	else
		snprintf(text, size, "%s", bounds[random() % (sizeof(bounds) / sizeof(*bounds))]);
	/* What the device does not have to refuse must not take a kept bit away either. */
	if (keep && !(strtoul(text, NULL, 16) & keep))
		snprintf(text, size, "g");
}

static bool own(int file, int process, int apart)
{
	return !apart || file / apart % PROCESSES == process;
}

static void attributes(double end, unsigned int keep, int apart, int process, char **files, int count, long *done)
{
	char text[32];

	while (now() < end) {
		int file = random() % count;

		if (random() % 2 || !own(file, process, apart)) {
			get(files[file]);
		} else {
			choose(text, sizeof(text), keep);
			put(files[file], text);
		}
		++*done;
	}
}

static int all_attributes(double seconds, unsigned int seed, unsigned int keep, int apart, char **files, int count)
{
	long *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double end = now() + seconds;
	long sum = 0;

	for (int i = 0; i < PROCESSES; i++) {
		cpu_set_t cpus;

		if (fork())
			continue;
		CPU_ZERO(&cpus);
		CPU_SET(i, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
		srandom(seed * PROCESSES + i);
		/* What the lab asks of the guest goes before. */
		nice(10);
		attributes(end, keep, apart, i, files, count, &done[i]);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < PROCESSES; i++)
		sum += done[i];
	printf("operations %ld\n", sum);
	return 0;
}

static void names(const char *driver, char *bind, char *unbind)
{
	snprintf(bind, 256, "%s/bind", driver);
	snprintf(unbind, 256, "%s/unbind", driver);
}

static int rebind(double seconds, const char *driver, const char *device)
{
	char bind[256], unbind[256];
	double end = now() + seconds;
	long done = 0;

	nice(10);
	names(driver, bind, unbind);
	while (now() < end) {
		put(unbind, device);
		put(bind, device);
		done += 2;
	}
	printf("operations %ld\n", done);
	return 0;
}

/* The name under which a loaded module is known. */
static void module_name(const char *file, char *name)
{
	const char *start = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

	snprintf(name, 64, "%.*s", (int)strcspn(start, "."), start);
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

static int reload(long rounds, char **files, int count)
{
	char name[64];
	long done = 0;

	while (rounds--) {
		for (int i = 0; i < count; i++) {
			int file = open(files[i], O_RDONLY);

			if (syscall(SYS_finit_module, file, "", 0)) {
				printf("load of %s: %s\n", files[i], strerror(errno));
				return 1;
			}
			close(file);
			done++;
		}
		for (int i = count; i--; ) {
			module_name(files[i], name);
			if (syscall(SYS_delete_module, name, 0)) {
				printf("unload of %s: %s\n", name, strerror(errno));
				return 1;
			}
			done++;
		}
	}
	printf("operations %ld\n", done);
	return 0;
}

/*
 * Write with the nth allocation failing. The file is opened before, for which memory is needed
 * too. Returns the error; *reached is whether there were so many allocations.
 */
static int put_failing(const char *path, const char *text, int nth, int *reached)
{
	char number[16] = "";
	int file = open(path, O_WRONLY);
	int fail = open("/proc/self/fail-nth", O_RDWR);
	int ret;

	if (file < 0 || fail < 0) {
		perror("fail-nth");
		exit(1);
	}
	snprintf(number, sizeof(number), "%d", nth);
	if (write(fail, number, strlen(number)) < 0) {
		perror("fail-nth");
		exit(1);
	}
	ret = write(file, text, strlen(text)) < 0 ? -errno : 0;
	memset(number, 0, sizeof(number));
	pread(fail, number, sizeof(number) - 1, 0);
	*reached = atoi(number) == 0;
	pwrite(fail, "0", 1, 0);
	close(fail);
	close(file);
	return ret;
}

static int faults(const char *driver, const char *device)
{
	char bind[256], unbind[256], link[256];
	long injected[2] = { 0, 0 }, refused[2] = { 0, 0 }, odd = 0;
	int reached, ret;

	names(driver, bind, unbind);
	snprintf(link, sizeof(link), "%s/%s", driver, device);
	for (int way = 0; way < 2; way++) {
		for (int nth = 1; nth < 1000; nth++) {
			if (way == 0)
				put(unbind, device);
			else
				put(bind, device);
			ret = put_failing(way ? unbind : bind, device, nth, &reached);
			injected[way] += reached;
			refused[way] += ret != 0;
			/* A bind that succeeded has to show, and one that did not must not. */
			if (way == 0 && (ret == 0) != (access(link, F_OK) == 0))
				odd++;
			if (!reached)
				break;
		}
	}
	if (access(link, F_OK))
		put(bind, device);
	printf("operations %ld bind %ld refused %ld unbind %ld refused %ld odd %ld bound %d\n",
	       injected[0] + injected[1], injected[0], refused[0], injected[1], refused[1], odd,
	       access(link, F_OK) == 0);
	return 0;
}

/* The word in the configuration space of the port whose name in sysfs is given. */
static int word(int file, int place)
{
	unsigned char bytes[2] = { 0, 0 };

	if (pread(file, bytes, sizeof(bytes), place) != sizeof(bytes))
		return -1;
	return bytes[0] | bytes[1] << 8;
}

static int set_word(int file, int place, int value)
{
	unsigned char bytes[2] = { value & 0xff, value >> 8 };

	return pwrite(file, bytes, sizeof(bytes), place) == sizeof(bytes) ? 0 : -1;
}

/*
 * Switch a slot's power and its indicator off, with the slot's interrupt off meanwhile: the kernel learns that
 * the card is gone only afterwards. The numbers are those of the PCI Express specification.
 */
static int surprise(const char *port)
{
	enum { CAPABILITIES = 0x34, EXPRESS = 0x10, SLOT_CONTROL = 0x18, INTERRUPT = 0x20, OFF = 0x700 };
	char path[256];
	int file, place, old;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", port);
	file = open(path, O_RDWR);
	if (file < 0)
		return 1;
	for (place = word(file, CAPABILITIES) & 0xff; place; place = word(file, place) >> 8 & 0xff)
		if ((word(file, place) & 0xff) == EXPRESS)
			break;
	if (!place)
		return 1;
	place += SLOT_CONTROL;
	old = word(file, place);
	if (set_word(file, place, (old & ~INTERRUPT) | OFF) || set_word(file, place, old))
		return 1;
	close(file);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 6 && !strcmp(argv[1], "attributes"))
		return all_attributes(atof(argv[2]), atoi(argv[3]), strtoul(argv[4], NULL, 0), atoi(argv[5]),
				      argv + 6, argc - 6);
	if (argc == 5 && !strcmp(argv[1], "rebind"))
		return rebind(atof(argv[2]), argv[3], argv[4]);
	if (argc > 3 && !strcmp(argv[1], "reload"))
		return reload(atol(argv[2]), argv + 3, argc - 3);
	if (argc == 4 && !strcmp(argv[1], "faults"))
		return faults(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "surprise"))
		return surprise(argv[2]);
	fprintf(stderr, "usage: fire attributes|rebind|surprise|reload|faults ...\n");
	return 2;
}

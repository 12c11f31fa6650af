// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the lab's guest needs and busybox cannot do: one write(2) whose exact result is told, and
 * loading a crash kernel. Each command prints one line on standard output.
 *
 *   helper write FILE HEX...   write the bytes in one call per HEX: "ok COUNT" or "open ERRNO" or "write ERRNO"
 *   helper crash-kernel KERNEL INITRD COMMAND-LINE   "ok 0" or "load ERRNO"
 *   helper power-off           never returns
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static int complain(const char *what)
{
	printf("%s %d\n", what, errno);
	return 0;
}

static size_t decode(const char *hex, unsigned char *bytes)
{
	size_t count = strlen(hex) / 2;

	for (size_t i = 0; i < count; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = strtoul(pair, NULL, 16);
	}
	return count;
}

static int write_each(const char *path, char **texts)
{
	for (; *texts; texts++) {
		unsigned char *bytes = malloc(strlen(*texts) / 2 + 1);
		size_t length = decode(*texts, bytes);
		int file = open(path, O_WRONLY);
		ssize_t written;

		if (file < 0) {
			complain("open");
			free(bytes);
			continue;
		}
		written = write(file, bytes, length);
		if (written < 0)
			complain("write");
		else
			printf("ok %zd\n", written);
		close(file);
		free(bytes);
	}
	return 0;
}

static int load_crash_kernel(const char *kernel, const char *initrd, const char *command_line)
{
	int image = open(kernel, O_RDONLY);
	int root = open(initrd, O_RDONLY);

	if (image < 0 || root < 0)
		return complain("open");
	if (syscall(SYS_kexec_file_load, image, root, strlen(command_line) + 1, command_line,
		    (unsigned long)KEXEC_FILE_ON_CRASH))
		return complain("load");
	printf("ok 0\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "write"))
		return write_each(argv[2], argv + 3);
	if (argc == 5 && !strcmp(argv[1], "crash-kernel"))
		return load_crash_kernel(argv[2], argv[3], argv[4]);
	if (argc == 2 && !strcmp(argv[1], "power-off")) {
		reboot(RB_POWER_OFF);
		return complain("power-off");
	}
	fprintf(stderr, "usage: helper write|crash-kernel|power-off ...\n");
	return 2;
}

/* Reading the recorder's log: mapped, so that data are looked at where they lie. */
#include "log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool log_open(struct log *l, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !st.st_size) {
		close(fd);
		return false;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*l = (struct log){ .bytes = bytes, .len = (size_t)st.st_size };
	return bytes != MAP_FAILED;
}

const struct mbr_record *log_next(struct log *l, const uint8_t **ret_extra)
{
	const struct mbr_record *r = (const struct mbr_record *)(l->bytes + l->at);

	if (l->at + sizeof *r > l->len || l->at + sizeof *r + mbr_record_padded(r->extra_bytes) > l->len)
		return NULL;
	*ret_extra = r->extra_bytes ? (const uint8_t *)(r + 1) : NULL;
	l->at += sizeof *r + mbr_record_padded(r->extra_bytes);
	l->number++;
	return r;
}

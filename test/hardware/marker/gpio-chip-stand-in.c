/*
 * Stands in for a GPIO chip where the kernel has none: preloaded, it answers the three ioctls of <linux/gpio.h> as the
 * kernel documents them, and hands each on to the kernel first, so that strace sees and decodes what was asked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINES 54

static int taken[LINES];

static int refuse(int error) {
  errno = error;
  return -1;
}

static int request(struct gpio_v2_line_request *wanted) {
  if (wanted->num_lines != 1 || wanted->config.num_attrs != 0) return refuse(EINVAL);
  for (size_t i = 0; i < sizeof wanted->padding / sizeof *wanted->padding; i++)
    if (wanted->padding[i] != 0) return refuse(EINVAL);
  if (wanted->offsets[0] >= LINES || wanted->config.flags != GPIO_V2_LINE_FLAG_OUTPUT) return refuse(EINVAL);
  if (taken[wanted->offsets[0]]++) return refuse(EBUSY);
  wanted->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  return wanted->fd < 0 ? -1 : 0;
}

int ioctl(int fd, unsigned long call, ...) {
  va_list rest;
  va_start(rest, call);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  long answer = syscall(SYS_ioctl, fd, call, argument);
  switch (call) {
  case GPIO_GET_CHIPINFO_IOCTL: {
    struct gpiochip_info *info = argument;
    memset(info, 0, sizeof *info);
    strcpy(info->name, "gpiochip0");
    strcpy(info->label, "pinctrl-rp1");
    info->lines = LINES;
    return 0;
  }
  case GPIO_V2_GET_LINE_IOCTL:
    return request(argument);
  case GPIO_V2_LINE_SET_VALUES_IOCTL: {
    struct gpio_v2_line_values *values = argument;
    return values->mask == 1 && values->bits <= 1 ? 0 : refuse(EINVAL);
  }
  default:
    return (int)answer;
  }
}

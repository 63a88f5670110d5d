//! Does the calls of WASI preview 1 on files that its input lists one after the other, and writes what each answered: its
//! errno (u16), how many bytes it gave (u32), and these. Numbers are little-endian.
//!
//! A call is a byte for which, and its parameters: numbers, and for a path its length (u32) and bytes. Descriptors are named
//! by the slot they were opened into, so that it does not matter which numbers a host gives out. Slot 0 is the first mount.

#[cfg(target_os = "wasi")]
fn main() {
    use std::io::{Read, Write};
    let mut script = Vec::new();
    std::io::stdin().read_to_end(&mut script).expect("the script can be read");
    let answers = calls::perform(&script);
    std::io::stdout().write_all(&answers).expect("the answers can be written");
}

#[cfg(not(target_os = "wasi"))]
fn main() {
    eprintln!("file-operations: these are calls of WASI");
    std::process::exit(1);
}

#[cfg(target_os = "wasi")]
mod calls {
    #[repr(C)]
    struct Piece {
        pointer: *mut u8,
        length: usize,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        fn fd_advise(fd: u32, offset: u64, length: u64, advice: u32) -> u32;
        fn fd_allocate(fd: u32, offset: u64, length: u64) -> u32;
        fn fd_close(fd: u32) -> u32;
        fn fd_datasync(fd: u32) -> u32;
        fn fd_fdstat_get(fd: u32, into: *mut u8) -> u32;
        fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u32;
        fn fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64) -> u32;
        fn fd_filestat_get(fd: u32, into: *mut u8) -> u32;
        fn fd_filestat_set_size(fd: u32, size: u64) -> u32;
        fn fd_filestat_set_times(fd: u32, access: u64, modification: u64, flags: u32) -> u32;
        fn fd_pread(fd: u32, pieces: *const Piece, count: usize, offset: u64, moved: *mut u32) -> u32;
        fn fd_prestat_dir_name(fd: u32, into: *mut u8, length: usize) -> u32;
        fn fd_prestat_get(fd: u32, into: *mut u8) -> u32;
        fn fd_pwrite(fd: u32, pieces: *const Piece, count: usize, offset: u64, moved: *mut u32) -> u32;
        fn fd_read(fd: u32, pieces: *const Piece, count: usize, moved: *mut u32) -> u32;
        fn fd_readdir(fd: u32, into: *mut u8, length: usize, cookie: u64, used: *mut u32) -> u32;
        fn fd_renumber(from: u32, to: u32) -> u32;
        fn fd_seek(fd: u32, delta: i64, whence: u32, offset: *mut u64) -> u32;
        fn fd_sync(fd: u32) -> u32;
        fn fd_tell(fd: u32, offset: *mut u64) -> u32;
        fn fd_write(fd: u32, pieces: *const Piece, count: usize, moved: *mut u32) -> u32;
        fn path_create_directory(fd: u32, path: *const u8, length: usize) -> u32;
        fn path_filestat_get(fd: u32, lookup: u32, path: *const u8, length: usize, into: *mut u8) -> u32;
        fn path_filestat_set_times(
            fd: u32,
            lookup: u32,
            path: *const u8,
            length: usize,
            access: u64,
            modification: u64,
            flags: u32,
        ) -> u32;
        fn path_link(
            fd: u32,
            lookup: u32,
            from: *const u8,
            from_length: usize,
            target: u32,
            to: *const u8,
            to_length: usize,
        ) -> u32;
        fn path_open(
            fd: u32,
            lookup: u32,
            path: *const u8,
            length: usize,
            oflags: u32,
            base: u64,
            inheriting: u64,
            fdflags: u32,
            opened: *mut u32,
        ) -> u32;
        fn path_readlink(
            fd: u32,
            path: *const u8,
            length: usize,
            into: *mut u8,
            into_length: usize,
            used: *mut u32,
        ) -> u32;
        fn path_remove_directory(fd: u32, path: *const u8, length: usize) -> u32;
        fn path_rename(
            fd: u32,
            from: *const u8,
            from_length: usize,
            target: u32,
            to: *const u8,
            to_length: usize,
        ) -> u32;
        fn path_symlink(contents: *const u8, contents_length: usize, fd: u32, path: *const u8, length: usize) -> u32;
        fn path_unlink_file(fd: u32, path: *const u8, length: usize) -> u32;
    }

    const FIRST_MOUNT: u32 = 3;
    const SLOTS: usize = 16;

    /// The number of a slot that nothing is open in: no host gives it out, and no two slots have the same.
    fn none(slot: usize) -> u32 {
        9000 + slot as u32
    }

    const DIRENT_BYTES: usize = 24;
    /// Most bytes of one directory that are told.
    const LISTING_BYTES: usize = 1 << 20;

    struct Script<'a> {
        rest: &'a [u8],
        slots: [u32; SLOTS],
    }

    impl<'a> Script<'a> {
        fn take(&mut self, length: usize) -> &'a [u8] {
            let (taken, rest) = self.rest.split_at(length);
            self.rest = rest;
            taken
        }

        fn u8(&mut self) -> u8 {
            self.take(1)[0]
        }

        fn u32(&mut self) -> u32 {
            u32::from_le_bytes(self.take(4).try_into().unwrap())
        }

        fn u64(&mut self) -> u64 {
            u64::from_le_bytes(self.take(8).try_into().unwrap())
        }

        fn bytes(&mut self) -> &'a [u8] {
            let length = self.u32() as usize;
            self.take(length)
        }

        fn slot(&mut self) -> u32 {
            let slot = self.u8() as usize;
            self.slots[slot]
        }

        /// Lengths of pieces, as many as a byte says.
        fn lengths(&mut self) -> Vec<usize> {
            let count = self.u8();
            (0..count).map(|_| self.u32() as usize).collect()
        }
    }

    /// The pieces of a buffer, one after the other.
    fn pieces(buffer: &mut [u8], lengths: &[usize]) -> Vec<Piece> {
        let mut pointer = buffer.as_mut_ptr();
        lengths
            .iter()
            .map(|&length| {
                let piece = Piece { pointer, length };
                pointer = unsafe { pointer.add(length) };
                piece
            })
            .collect()
    }

    type Answer = (u32, Vec<u8>);

    pub fn perform(script: &[u8]) -> Vec<u8> {
        let mut slots: [u32; SLOTS] = std::array::from_fn(none);
        slots[0] = FIRST_MOUNT;
        let mut script = Script { rest: script, slots };
        let mut answers = Vec::new();
        while !script.rest.is_empty() {
            let (errno, given) = call(&mut script);
            answers.extend_from_slice(&(errno as u16).to_le_bytes());
            answers.extend_from_slice(&(given.len() as u32).to_le_bytes());
            answers.extend_from_slice(&given);
        }
        answers
    }

    fn call(script: &mut Script) -> Answer {
        match script.u8() {
            0 => open(script),
            1 => close(script),
            2 => read(script, false),
            3 => read(script, true),
            4 => write(script, false),
            5 => write(script, true),
            6 => {
                let (fd, delta, whence) = (script.slot(), script.u64() as i64, script.u8());
                filled(8, |into| unsafe { fd_seek(fd, delta, whence.into(), into.cast()) })
            }
            7 => {
                let fd = script.slot();
                filled(8, |into| unsafe { fd_tell(fd, into.cast()) })
            }
            8 => {
                let (fd, offset, length) = (script.slot(), script.u64(), script.u64());
                plain(unsafe { fd_allocate(fd, offset, length) })
            }
            9 => {
                let (fd, size) = (script.slot(), script.u64());
                plain(unsafe { fd_filestat_set_size(fd, size) })
            }
            10 => {
                let fd = script.slot();
                filled(24, |into| unsafe { fd_fdstat_get(fd, into) })
            }
            11 => {
                let (fd, flags) = (script.slot(), script.u32());
                plain(unsafe { fd_fdstat_set_flags(fd, flags) })
            }
            12 => {
                let (fd, base, inheriting) = (script.slot(), script.u64(), script.u64());
                plain(unsafe { fd_fdstat_set_rights(fd, base, inheriting) })
            }
            13 => {
                let fd = script.slot();
                filled(64, |into| unsafe { fd_filestat_get(fd, into) })
            }
            14 => {
                let (fd, access, modification, flags) = (script.slot(), script.u64(), script.u64(), script.u32());
                plain(unsafe { fd_filestat_set_times(fd, access, modification, flags) })
            }
            15 => {
                let (fd, offset, length, advice) = (script.slot(), script.u64(), script.u64(), script.u8());
                plain(unsafe { fd_advise(fd, offset, length, advice.into()) })
            }
            16 => plain(unsafe { fd_sync(script.slot()) }),
            17 => plain(unsafe { fd_datasync(script.slot()) }),
            18 => list(script),
            19 => renumber(script),
            which => path_call(script, which),
        }
    }

    fn path_call(script: &mut Script, which: u8) -> Answer {
        let fd = script.slot();
        match which {
            20 | 21 | 22 => {
                let path = script.bytes();
                let function = match which {
                    20 => path_create_directory,
                    21 => path_remove_directory,
                    _ => path_unlink_file,
                };
                plain(unsafe { function(fd, path.as_ptr(), path.len()) })
            }
            23 => {
                let (from, target, to) = (script.bytes(), script.slot(), script.bytes());
                plain(unsafe { path_rename(fd, from.as_ptr(), from.len(), target, to.as_ptr(), to.len()) })
            }
            24 => {
                let (lookup, from, target, to) = (script.u32(), script.bytes(), script.slot(), script.bytes());
                plain(unsafe { path_link(fd, lookup, from.as_ptr(), from.len(), target, to.as_ptr(), to.len()) })
            }
            25 => {
                let (contents, path) = (script.bytes(), script.bytes());
                plain(unsafe { path_symlink(contents.as_ptr(), contents.len(), fd, path.as_ptr(), path.len()) })
            }
            26 => {
                let (path, room) = (script.bytes(), script.u32() as usize);
                moved(room, |into, used| unsafe { path_readlink(fd, path.as_ptr(), path.len(), into, room, used) })
            }
            27 => {
                let (lookup, path) = (script.u32(), script.bytes());
                filled(64, |into| unsafe { path_filestat_get(fd, lookup, path.as_ptr(), path.len(), into) })
            }
            28 => {
                let (lookup, path) = (script.u32(), script.bytes());
                let (access, modification, flags) = (script.u64(), script.u64(), script.u32());
                plain(unsafe {
                    path_filestat_set_times(fd, lookup, path.as_ptr(), path.len(), access, modification, flags)
                })
            }
            29 => filled(8, |into| unsafe { fd_prestat_get(fd, into) }),
            30 => {
                let room = script.u32() as usize;
                filled(room, |into| unsafe { fd_prestat_dir_name(fd, into, room) })
            }
            other => panic!("there is no call {other}"),
        }
    }

    fn plain(errno: u32) -> Answer {
        (errno, Vec::new())
    }

    /// A call that fills a struct.
    fn filled(length: usize, call: impl FnOnce(*mut u8) -> u32) -> Answer {
        // Of u64, so that it is aligned as any struct has to be.
        let mut room = vec![0u64; length / 8 + 1];
        let errno = call(room.as_mut_ptr().cast());
        let bytes = room.iter().flat_map(|word| word.to_le_bytes()).take(length);
        (errno, if errno == 0 { bytes.collect() } else { Vec::new() })
    }

    /// A call that says how much of its room it has filled.
    fn moved(length: usize, call: impl FnOnce(*mut u8, *mut u32) -> u32) -> Answer {
        let mut room = vec![0; length];
        let mut used = 0;
        let errno = call(room.as_mut_ptr(), &mut used);
        room.truncate(used as usize);
        (errno, if errno == 0 { room } else { Vec::new() })
    }

    fn open(script: &mut Script) -> Answer {
        let (fd, lookup, path, oflags) = (script.slot(), script.u32(), script.bytes(), script.u32());
        let (base, inheriting, fdflags) = (script.u64(), script.u64(), script.u32());
        let into = script.u8() as usize;
        let mut opened = 0;
        let errno =
            unsafe { path_open(fd, lookup, path.as_ptr(), path.len(), oflags, base, inheriting, fdflags, &mut opened) };
        if errno == 0 {
            // What the slot held before stays open, as it would in a program that forgets it.
            script.slots[into] = opened;
        }
        plain(errno)
    }

    fn close(script: &mut Script) -> Answer {
        let slot = script.u8() as usize;
        let errno = unsafe { fd_close(script.slots[slot]) };
        if errno == 0 {
            script.slots[slot] = none(slot);
        }
        plain(errno)
    }

    fn renumber(script: &mut Script) -> Answer {
        let (from, to) = (script.u8() as usize, script.u8() as usize);
        let errno = unsafe { fd_renumber(script.slots[from], script.slots[to]) };
        if errno == 0 && from != to {
            script.slots[from] = none(from);
        }
        plain(errno)
    }

    fn read(script: &mut Script, at: bool) -> Answer {
        let fd = script.slot();
        let lengths = script.lengths();
        let offset = if at { script.u64() } else { 0 };
        let mut room = vec![0; lengths.iter().sum()];
        let pieces = pieces(&mut room, &lengths);
        let mut used = 0;
        let errno = unsafe {
            if at {
                fd_pread(fd, pieces.as_ptr(), pieces.len(), offset, &mut used)
            } else {
                fd_read(fd, pieces.as_ptr(), pieces.len(), &mut used)
            }
        };
        room.truncate(used as usize);
        (errno, if errno == 0 { room } else { Vec::new() })
    }

    fn write(script: &mut Script, at: bool) -> Answer {
        let fd = script.slot();
        let lengths = script.lengths();
        let mut contents = script.bytes().to_vec();
        let offset = if at { script.u64() } else { 0 };
        let pieces = pieces(&mut contents, &lengths);
        filled(4, |into| unsafe {
            if at {
                fd_pwrite(fd, pieces.as_ptr(), pieces.len(), offset, into.cast())
            } else {
                fd_write(fd, pieces.as_ptr(), pieces.len(), into.cast())
            }
        })
    }

    /// Reads a directory to its end through a buffer of the given size: the entries as they are laid out, without cuts.
    fn list(script: &mut Script) -> Answer {
        let (fd, room) = (script.slot(), script.u32() as usize);
        let mut listed = Vec::new();
        let mut cookie = 0u64;
        loop {
            let (errno, part) = moved(room, |into, used| unsafe { fd_readdir(fd, into, room, cookie, used) });
            if errno != 0 {
                return plain(errno);
            }
            let mut rest = &part[..];
            let before = listed.len();
            while let Some(length) = entry_bytes(rest) {
                cookie = u64::from_le_bytes(rest[..8].try_into().unwrap());
                listed.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
            }
            // A buffer that is not full was the last; one that holds no entry would never be another.
            if part.len() < room || listed.len() == before || listed.len() > LISTING_BYTES {
                return (0, listed);
            }
        }
    }

    /// The length of an entry that is there as a whole.
    fn entry_bytes(rest: &[u8]) -> Option<usize> {
        let name = u32::from_le_bytes(rest.get(16..20)?.try_into().unwrap()) as usize;
        (rest.len() >= DIRENT_BYTES + name).then_some(DIRENT_BYTES + name)
    }
}

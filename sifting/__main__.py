"""The command line, python -m sifting COMMAND, which the Makefile calls.

run CHAPTER [preset= seeds= device= set= fresh=1 cluster=tcp://HOST:8786 engine= book=1]
                                                    execute one chapter; at other settings than those of
                                                    the book on a page of its own, unless book=1
forget [trial=NAME|all chapter=NAME]                remove such a page, or those of a chapter, with results
compare a=NAME b=NAME                               draw a page of one trial beside another
answer trial=NAME|all                               keep it in small, as the answer to an exercise
site                                                build the site around the executed chapters
pdf                                                 print the site as one PDF
build                                               execute what is out of date, then the site
verify CHAPTER|RESULT [seeds=all device=]           recompute a stored run and compare
serve [port=8000]                                   serve the site on this machine
live [port=8888 fresh=1]                            open copies of the chapters in JupyterLab
bench [peers=1]                                     measure the speed; of other libraries alone
house                                               print the plan of the package
list [chapter=NAME]                                 the chapters; all about one
help [field=NAME|all]                               all about a setting; a line about each; this
"""

import concurrent.futures
import os
import re
import signal
import sys

from sifting import cache, config
from sifting.results.history import DamagedResult


def whole(text: str) -> int:
    """A whole number. Raises ValueError."""
    if not text.removeprefix("-").isdecimal():
        raise ValueError(f"takes a whole number, not {text!r}")
    return int(text)


def one_of(values: dict):
    """A reader of the words in `values`, which raises ValueError for any other."""

    def read(text):
        if text not in values:
            raise ValueError(f"takes {' or '.join(values)}, or is left out, not {text!r}")
        return values[text]

    return read


RUN = {
    "preset": str,
    "seeds": whole,
    "device": str,
    "set": config.parse,
    "fresh": one_of({"1": True, "0": False}),
    "cluster": str,
    "engine": str,
    "book": one_of({"1": True, "0": False}),
}
OPTIONS = {  # command -> option -> how to read it
    "run": RUN,
    "build": RUN,  # but none may be given
    "site": {},
    "pdf": {},
    "forget": {"trial": str, "chapter": str},
    "compare": {"a": str, "b": str},
    "answer": {"trial": str},
    "verify": {"seeds": one_of({"all": True}), "device": str},
    "serve": {"port": whole},
    "live": {"port": whole, "fresh": one_of({"1": True, "0": False})},
    "bench": {"peers": one_of({"1": True, "0": False})},
    "house": {},
    "list": {"chapter": str},
    "help": {"field": str},
}


def read(words: list[str], known: dict) -> tuple[list[str], dict]:
    """Names, and options as name=value; an empty value is as good as none.

    Raises ValueError for an unknown option, naming those there are, and for a value that it cannot take.
    """
    names, options = [], {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            names.append(word)
            continue
        if value:
            config.choose("option", name, known)
            if name in options:
                raise ValueError(f"{name} is given twice")
            try:
                options[name] = known[name](value)
            except ValueError as error:
                raise ValueError(f"{error}" if name == "set" else f"{name} {error}") from error
    return names, options


def command(words: list[str]) -> int:
    """Do what the words say; returns the exit status. Errors are raised, and main puts them into words."""
    verb, *rest = words or ["build"]
    config.choose("command", verb, OPTIONS)
    names, options = read(rest, OPTIONS[verb])
    if verb in ("run", "verify") and len(names) != 1:
        result = ", or a stored result, as: make verify result=ticket-0123456789ab" * (verb == "verify")
        raise ValueError(f"name one chapter, as: make {'verify ' * (verb == 'verify')}chapter=imp{result}")
    if verb not in ("run", "verify") and names:
        raise ValueError(f"{verb} takes no names, not {' '.join(names)}")
    if verb == "build" and options:
        raise ValueError(f"{', '.join(options)}: for one chapter only; name it, as: make chapter=imp")
    if verb == "help":
        print(_help(options.get("field")))
        return 0
    if not config.place.checkout():
        raise ValueError(
            f"{verb} is for the book, whose chapters are in its repository and not in the installed package; "
            "in a clone of it, make does everything"
        )
    if verb == "list":
        from sifting.publish import contents

        print(contents.told(options["chapter"]) if options else contents.listed())
        return 0
    if "set" in options:
        options["overrides"] = options.pop("set")
    if verb == "run":
        from sifting.publish import asked

        asked.check(names[0], **options)  # before what is slow to import
    from sifting.publish import runner

    if verb == "run":
        runner.run(names[0], **options)
    elif verb in ("forget", "answer"):
        if not options:
            raise ValueError(f"name a trial, as the page Your trials does, or all: make {verb} trial=all")
        getattr(runner, verb)(**options)
    elif verb == "compare":
        if options.keys() != {"a", "b"}:
            raise ValueError("name two trials, as the page Your trials does: make compare a=NAME b=NAME")
        runner.compare(options["a"], options["b"])
    elif verb == "verify":
        from sifting.publish.verify import verify

        try:
            good = verify(names[0], options.get("seeds", False), options.get("device", "auto"))
        except KeyboardInterrupt:
            return _say("interrupted; what is stored is as it was", 130)
        return 0 if good else 1
    elif verb == "serve":
        from sifting.publish.serve import serve

        serve(runner.SITE, options.get("port", 8000))
    elif verb == "pdf":
        from sifting.publish.web import pdf

        pdf.write(runner.SITE, runner.SITE.parent / "sifting.pdf")
    elif verb == "live":
        from sifting.publish.live import server

        server.start(**options)
    elif verb == "house":
        from sifting.publish import house

        house.main()
    elif verb == "bench":
        from sifting import bench

        bench.main(only=("peers",) if options.get("peers") else ())
    else:
        getattr(runner, verb)()
    return 0


def _help(field: str | None) -> str:
    if field is None:
        return __doc__.strip()
    from sifting.publish import settings

    return settings.told(field)


def main(words: list[str] | None = None) -> int:
    """Run a command; what goes wrong is told in one line. $SIFTING_DEBUG shows where it happened."""
    words = sys.argv[1:] if words is None else words
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: workers end, finished levels stay
    sys.stdout.reconfigure(errors="backslashreplace")  # letters that a terminal has not
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "30")  # a log takes every bar as a line
    try:
        check_paths()
        cache.give_home()
        status = command(words)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _say("interrupted; finished levels are kept, run the same command to go on", 130)
    except BrokenPipeError:  # who reads has enough, as head has
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if os.environ.get("SIFTING_DEBUG"):
            raise
        return _say(*explain(error))


def check_paths() -> None:
    """Raise ValueError for a folder whose name cannot be read: what is made of it could not be written."""
    named = {name: value for name, value in os.environ.items() if name.startswith("SIFTING_")}
    for name, path in {"the folder of this book": __file__, **named}.items():
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding()
            how = "rename it" if encoding == "utf-8" else "set PYTHONUTF8=1, as: PYTHONUTF8=1 make"
            raise ValueError(f"{name}, {path!r}, has letters that are not {encoding}; {how}") from None


def explain(error: Exception) -> tuple[str, int]:
    """An error in words, and the exit status that goes with it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}", 1
    if isinstance(error, (ValueError, FileNotFoundError, DamagedResult)):
        return str(error), 2
    if isinstance(error, ImportError):
        return f"{error}; make installs what is needed, or: pip install -r requirements.txt", 2
    if isinstance(error, concurrent.futures.BrokenExecutor):
        return str(error), 1
    if isinstance(error, MemoryError) or "allocate" in str(error) and "memory" in str(error):
        size = re.search(r"allocate ([\d.]+ ?\w+)", str(error))
        wanted = f", {size[1]} at once," if size else ""
        return f"more memory is needed{wanted} than is here; fewer or smaller images and widths take less", 1
    if isinstance(error, OSError) or type(error).__name__ == "BuildError":
        return str(error), 1
    return f"{type(error).__name__}: {error} (SIFTING_DEBUG=1 shows where)", 1


def _say(message: str, status: int) -> int:
    print(f"sifting: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())

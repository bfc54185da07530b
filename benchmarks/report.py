"""Write the results of the others into README.md; draw results/speed.svg and results/growth.svg.

python benchmarks/report.py
"""

import json
import statistics
from pathlib import Path

import from_disk
import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from peers import MatrixProduct

from alslib import plots
from alslib.data.who_rates_what import user_degrees

HERE = Path(__file__).parent
OURS, LIMIT = "alslib", "limit"
NUMBAS = "numba's own"  # functions of numba that kernels call, such as `np.zeros`
# Two threads that work less than so many times the seconds on the clock had to wait.
BUSY = 1.8
TASTE = "most liked, then taste"
OTHERS = ("myFM", "cmfrec", "LIBMF")  # how the names of peers begin in accuracy.json
WAYS = ("threads", "workers")
COLOURS = {
    "alslib": plots.BLUE,
    "lenskit": plots.RED,
    "cmfrec": plots.GREEN,
    "implicit": plots.PURPLE,
    "Spark": plots.ORANGE,
    "Surprise": plots.SKY,
}


def median(peer, width, what):
    return statistics.median(repeat[what] for repeat in peer["repeats"][width])


def short(seconds):
    return f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"


def useful_operations(facts, width):
    """Count multiplications and additions of one sweep.

    K(K + 1) per rating and side for the triangle of the normal matrix, 4K for its two vectors, and
    K³/3 per row for the solve.
    """
    per_rating = width * (width + 1) + 4 * width
    n_rows = facts["n_users"] + facts["n_items"]
    return 2 * facts["n_ratings"] * per_rating + n_rows * width**3 / 3


def complete(facts):
    """Return the peers that were measured to the end, the machine's limit apart."""
    return {
        name: peer
        for name, peer in facts["peers"].items()
        if name != LIMIT and peer["repeats"] and "error" not in peer
    }


def widths_of(facts):
    return sorted({w for peer in facts["peers"].values() for w in peer["repeats"]}, key=int)


def table(header, rows):
    """Return a table in Markdown, its columns of numbers aligned to the right."""
    columns = [cells for _, *cells in zip(header, *rows, strict=True)]
    numbers = [any(cell[:1].isdigit() for cell in column) for column in columns]
    lines = [header, ["--:" if right else "---" for right in numbers], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def sweep_table(facts):
    widths, ours, rows = widths_of(facts), complete(facts).get(OURS), []
    for name, peer in facts["peers"].items():
        if name == LIMIT:
            continue
        row = [f"**{name}**" if name == OURS else name, peer["step"]]
        if name not in complete(facts):
            why = f"**FAILED**: `{peer['error']}`" if "error" in peer else peer["left_out"]
            rows.append([*row, why, *[""] * (len(widths) + 1)])
            continue
        for width in widths:
            if width not in peer["repeats"]:
                row.append("–")
                continue
            wall, cpu = median(peer, width, "wall"), median(peer, width, "cpu")
            ratio = f" ×{wall / median(ours, width, 'wall'):.1f}" if ours and name != OURS else ""
            of_threads = f" ({short(cpu)})" if cpu < BUSY * wall else ""
            row.append(f"{short(wall)}{of_threads}{ratio}")
        before = peer["prepare_seconds"] + max(0, median(peer, widths[0], "fixed"))
        widest = max(peer["repeats"], key=int)
        rows.append([*row, f"{before:.1f}", f"{median(peer, widest, 'peak') / 1e9:.2f}"])
    header = ["peer", "a sweep", *[f"K = {w}" for w in widths], "before, s", "peak, GB"]
    return table(header, rows)


def limit_sentence(facts):
    peers = facts["peers"]
    if OURS not in complete(facts) or LIMIT not in peers or "error" in peers[LIMIT]:
        return "The machine's own limit was not measured."
    shares = []
    for width in widths_of(facts):
        product = 2 * MatrixProduct.size**3 / median(peers[LIMIT], width, "wall")
        rate = useful_operations(facts, int(width)) / median(peers[OURS], width, "wall")
        shares.append(
            f"{rate / 1e9:.0f} of {product / 1e9:.0f} GF/s ({rate / product:.0%}) at K = {width}"
        )
    return f"alslib's useful operations, against one large matrix product: {', '.join(shares)}."


def target_tables(facts):
    """Return what was said of the target, and a table for each number of factors."""
    raced = {w for peer in complete(facts).values() for w in peer.get("to_target", {})}
    if not raced:
        return ["No race to a target in this run."]
    parts = [
        f"Until the validation RMSE is at most {facts['target_rmse']:.4f} (the true biases alone "
        f"reach {facts['rmse_of_true_biases']:.4f}, the whole truth {facts['rmse_of_truth']:.4f}):"
    ]
    rows = []
    for width in sorted(raced, key=int):
        for name, peer in complete(facts).items():
            if width not in peer.get("to_target", {}):
                continue
            last = peer["to_target"][width][-1]
            seconds = short(last["seconds"])
            if last["rmse"] > facts["target_rmse"]:
                seconds = f"not reached in {seconds}"
            rows.append([width, name, str(last["n_sweeps"]), seconds, f"{last['rmse']:.4f}"])
    return [*parts, table(["K", "peer", "sweeps", "seconds", "RMSE then"], rows)]


def lists_table(facts):
    rows = [
        [name, f"{peer['users_per_second']:,.0f}"]
        for name, peer in complete(facts).items()
        if "users_per_second" in peer
    ]
    return f"Lists of the ten best unseen items:\n\n{table(['peer', 'users a second'], rows)}"


def accuracy_table():
    """Return means over three times five folds; the standard deviation is that of three means."""
    rows = pd.read_json(HERE / "results/accuracy.json")
    lines = []
    for (data, model), of_model in rows.groupby(["data", "model"], sort=False):
        folds = of_model[of_model["split"] == "folds"]
        if folds.empty:
            continue
        means = folds.groupby("seed")["rmse"].mean()
        line = [
            data,
            model,
            spread(means),
            f"{folds['warm'].mean():.4f}",
            f"{rmse_cold(folds):.3f}",
        ]
        away = of_model[of_model["split"] == "movies taken away"]
        lines.append([*line, f"{rmse_cold(away):.3f}" if len(away) else "–"])
    return table(["data", "model", "RMSE", "warm", "cold", "taken away"], lines)


# What is reported of u1.base and u1.test, as far as it could be checked: model, RMSE as it is
# printed, MAE, and how the number of epochs was chosen. Where their authors do not say it
# themselves, the example of DGL does.
GLOCAL_K = "[GLocal-K (2021)](https://arxiv.org/abs/2108.12184)"
IMC_GAE = "[IMC-GAE (2021)](https://arxiv.org/abs/2108.11124)"
GRAPH_REC = "[GraphRec{} (2019)](https://doi.org/10.1145/3298689.3346999)"
GC_MC = "[GC-MC{} (2017, after DGL)](https://arxiv.org/abs/1706.02263)"
IGMC = "[IGMC (2020, after DGL)](https://openreview.net/forum?id=ByxxgCEYDS)"
FIXED, VALIDATION, ON_TEST = "fixed", "validation", "test"
REPORTED = [
    (GLOCAL_K, "0.8889", "0.6950", ON_TEST),
    (IMC_GAE, "0.8967", "–", VALIDATION),
    (GRAPH_REC.format(", attributes"), "0.897", "–", FIXED),
    (GRAPH_REC.format(""), "0.904", "–", FIXED),
    (GC_MC.format(", features"), "0.905", "–", FIXED),
    (IGMC, "0.905", "–", FIXED),
    (GC_MC.format(""), "0.910", "–", FIXED),
]


def published_table():
    """Return the errors on the first published part, ours and others', and on all five parts."""
    rows = pd.read_json(HERE / "results/accuracy.json")
    rows = rows[rows["split"] == "published parts"]
    lines = [
        (float(error), [name, error, mae, "–", "–", "–", how]) for name, error, mae, how in REPORTED
    ]
    for model, of_model in rows.groupby("model", sort=False):
        first = of_model[of_model["part"] == 0]
        peeked = first["chosen on test"]
        all_parts = of_model.groupby("seed")["rmse"].mean()
        cells = [
            model if model.startswith(OTHERS) else f"**{model}**",
            spread(first["rmse"]),
            f"{first['mae'].mean():.4f}",
            "–" if peeked.isna().all() else f"{peeked.mean():.4f}",
            spread(all_parts),
            f"{of_model['seconds'].median():,.0f}",
            VALIDATION if any(of_model["chosen"]) else "–",
        ]
        lines.append((first["rmse"].mean(), cells))
    header = ["model", "RMSE", "MAE", "if chosen on test", "five parts", "s", "epochs by"]
    return table(header, [cells for _, cells in sorted(lines, key=lambda line: line[0])])


def spread(numbers):
    """Return the mean, and the standard deviation where there is more than one number."""
    around = f" ± {numbers.std():.4f}" if len(numbers) > 1 else ""
    return f"{numbers.mean():.4f}{around}"


def rmse_cold(rows):
    return (rows["squared_error_cold"].sum() / rows["n_cold"].sum()) ** 0.5


def newcomers_tables():
    """Return a table for each data set and order, those of dates folded, by date."""
    rows = pd.read_json(HERE / "results/newcomers.json")
    parts = []
    for data, of_data in rows.groupby("data", sort=False):
        cases = dict(list(of_data.groupby("order", sort=False)))
        for order in ("random", "time"):
            parts += newcomers_table(data, order, cases.pop(order))
        parts.append(f"<details>\n<summary>{data}, by date</summary>")
        for date, case in sorted(cases.items()):
            parts += newcomers_table(data, date, case)
        parts.append("</details>")
    return parts


def newcomers_table(data, order, case):
    """Return the title of a table and the table: each list, and by how much ours is better."""
    numbers = sorted(case["known"].unique())
    lines = []
    for name, of_list in case.groupby("list", sort=False):
        of_number = of_list.set_index("known")
        bold = f"**{name}**" if name == TASTE else name
        lines.append([bold, *(f"{of_number['ndcg'][n]:.3f}" for n in numbers)])
    by_number = case.set_index(["known", "list"])
    last = [
        ["ours less the best of the others"],
        ["at least, in 95 % of samples"],
        ["at most"],
        ["movies that ours shows to anybody"],
    ]
    for n in numbers:
        others = by_number.loc[n].drop(TASTE)
        gain, low, high = others.loc[others["ndcg"].idxmax(), "gain"]
        coverage = f"{by_number.loc[(n, TASTE), 'coverage']:.1%}"
        cells = f"{gain:+.3f}", f"{low:+.3f}", f"{high:+.3f}", coverage
        for line, cell in zip(last, cells, strict=True):
            line.append(cell)
    title = f"**{data}**, {case['people'].iloc[0]} people"
    how = {"random": "in random order", "time": "in order of time"}
    how = how.get(order, f"who came from {order} on, in order of time")
    header = ["nDCG@10 after", *map(str, numbers)]
    return [f"{title}, {how}.", table(header, [*lines, *last])]


def interview_table():
    """Return what comes of equally many questions, and of equally many answers."""
    rows = pd.read_json(HERE / "results/interview.json")
    rows = rows[rows["number"] > 0].sort_values(
        ["kind", "number", "way"], ascending=[False, True, True]
    )
    lines = []
    for row in rows.itertuples():
        ours = row.way == "interview"
        gains = [f"{low:+.3f} to {high:+.3f}" for low, high in (row.gain_ndcg, row.gain_rmse)]
        lines.append(
            [
                f"{row.number} {'questions' if row.kind == 'asked' else 'answers'}",
                "**interview**" if ours else row.way,
                f"{row.answered:.1f}",
                f"{row.ndcg:.3f}",
                f"{row.rmse:.3f}",
                *(["", ""] if ours else gains),
            ]
        )
    header = ["after", "asked about", "answered", "nDCG@10", "RMSE", "nDCG more", "RMSE more"]
    return table(header, lines)


def pages_table():
    """Return the median and the slowest page of each kind, and how the demo answers."""
    results = json.loads((HERE / "results/pages.json").read_text())
    kinds = {
        "first page, with the demo": "book/",
        "lessons": "lessons/",
        "exercises": "exercises/0",
        "solutions": "exercises/solutions/",
    }
    rows = []
    for kind, start in kinds.items():
        paints = [
            seconds for name, seconds in results["largest_paint"].items() if name.startswith(start)
        ]
        middle, slowest = statistics.median(paints), max(paints)
        rows.append([f"largest paint: {kind}", str(len(paints)), f"{middle:.2f}", f"{slowest:.2f}"])
    for place, what in enumerate(("its list is laid out", "it has been painted")):
        waits = [answer[place] for answer in results["answers"]]
        middle, slowest = statistics.median(waits), max(waits)
        rows.append([f"demo: until {what}", str(len(waits)), f"{middle:.3f}", f"{slowest:.3f}"])
    when = f"{results['date']}, {results['machine']['processor']}, {results['browser']}."
    return [when, table(["what", "measured", "median, s", "longest, s"], rows)]


def first_use_tables():
    """Return what a first use costs, and what of it is compiling."""
    results = json.loads((HERE / "results/first_use.json").read_text())
    empty, filled = (results[cache]["seconds"] for cache in ("empty", "filled"))
    rows = [[what, f"{empty[what]:.2f}", f"{filled[what]:.2f}"] for what in empty]
    rows.append(["all of it", *(f"**{sum(run.values()):.1f}**" for run in (empty, filled))])
    compiling = results["empty"]["compiling"]
    longest = sorted(compiling, key=compiling.get, reverse=True)
    said = ", ".join(
        f"{name if name == NUMBAS else f'`{name}`'} {compiling[name]:.2f}"
        for name in longest
        if compiling[name] >= 0.1
    )
    rest = sum(spent for spent in compiling.values() if spent < 0.1)
    return [
        f"{results['date']}, {results['machine']['processor']}, Python "
        f"{results['machine']['python']}.",
        table(["processor seconds", "nothing compiled", "compiled before"], rows),
        f"Compiling takes {sum(compiling.values()):.1f} of these seconds: {said}, all others "
        f"together {rest:.2f}.",
    ]


def runs_by_size(name):
    """Return what was recorded, by millions of ratings, the fewest first."""
    runs = json.loads((HERE / f"results/{name}.json").read_text())
    return {millions: runs[f"{millions:g}"] for millions in sorted(map(float, runs))}


def where_and_when(runs):
    machines = {f"{run['date']}, {processor(run['machine'])}" for run in runs.values()}
    return "; ".join(sorted(machines)) + "."


def processor(machine):
    """Name a processor and, where it was recorded, its vector instructions."""
    kind = f", {machine['vectors']}" if "vectors" in machine else ""
    return machine["processor"] + kind


def speed_runs():
    """Return the runs of `speed.py` by vector instructions, the one with most ratings first."""
    runs = json.loads((HERE / "results/speed.json").read_text())
    return dict(sorted(runs.items(), key=lambda item: -largest(item[1])[1]["n_ratings"]))


def largest(run):
    """Return the shape with most ratings, and its facts."""
    return max(run["shapes"].items(), key=lambda item: item[1]["n_ratings"])


def from_disk_table():
    """Steps from files to a model, for each number of ratings that was run."""
    runs = runs_by_size("from_disk")
    rows = []
    for millions, run in runs.items():
        read, fitted = run["read"], run["fit"]
        rows.append(
            [
                f"{millions:,g} million",
                f"{run['draw']['bytes'] / 1e9:.2f}",
                f"{read['bytes'] / 1e9:.2f}",
                f"{read['seconds']:,.0f}",
                f"{read['peak_bytes'] / 1e9:.2f}",
                f"{statistics.median(fitted['sweep_seconds']):,.1f}",
                f"{fitted['peak_bytes'] / 1e9:.2f}",
                f"{fitted['bytes_of_factors'] / 1e9:.2f}",
            ]
        )
    header = (
        "ratings | Parquet, GB | file, GB | to read, s | peak, GB | a sweep, s | peak, GB | "
        "of it factors, GB"
    )
    return [table(header.split(" | "), rows), where_and_when(runs)]


def growth():
    """Return what growth.py has measured: its facts, and those of each size by ratings."""
    results = json.loads((HERE / "results/growth.json").read_text())
    sizes = sorted(results["shapes"].values(), key=lambda facts: facts["n_ratings"])
    return results, {facts["n_ratings"]: complete(facts) for facts in sizes}


def growth_table():
    """Return seconds of a sweep and, in brackets, peak memory of each peer, by ratings."""
    results, sizes = growth()
    width, names = str(results["n_factors"]), list(sizes[min(sizes)])
    rows = []
    for n_ratings, peers in sizes.items():
        cells = dict.fromkeys(names, "–")
        for name, peer in peers.items():
            wall, peak = (median(peer, width, what) for what in ("wall", "peak"))
            cells[name] = f"{short(wall)} ({peak / 1e9:.2f})"
        rows.append([f"{n_ratings / 1e6:.3g} million", *cells.values()])
    header = ["ratings", *(f"{name}, s (GB)" for name in names)]
    return [where_and_when({"": results}), table(header, rows)]


def growth_figure():
    """Draw seconds and bytes against ratings; return it as Markdown, with its alternative text."""
    results, sizes = growth()
    width, names = str(results["n_factors"]), list(sizes[min(sizes)])
    on_disk = {
        millions * 1e6: (
            statistics.median(run["fit"]["sweep_seconds"]),
            run["fit"]["peak_bytes"] / 1e9,
        )
        for millions, run in runs_by_size("from_disk").items()
    }
    figure = Figure(figsize=(7, 8), layout="constrained")
    panels = figure.subplots(2, sharex=True)
    for place, (axes, what) in enumerate(zip(panels, ("wall", "peak"), strict=True)):
        unit = 1e9 if what == "peak" else 1
        for name in names:
            points = [
                (n_ratings, median(peers[name], width, what) / unit)
                for n_ratings, peers in sizes.items()
                if name in peers
            ]
            axes.plot(
                *zip(*points, strict=True),
                color=COLOURS[name.split()[0]],
                linewidth=3 if name == OURS else 1.5,
                linestyle="--" if "inexact" in sizes[min(sizes)][name]["step"] else "-",
                marker="o",
                label=name,
            )
        ours = {n: median(peers[OURS], width, what) / unit for n, peers in sizes.items()}
        axes.plot(
            list(on_disk),
            [both[place] for both in on_disk.values()],
            color=COLOURS[OURS],
            linestyle=":",
            marker="s",
            markerfacecolor="none",
            label=f"{OURS}, ratings in a file",
        )
        # The line of proportionality goes through ours at the largest size that it was measured at.
        ends = [min(ours), max(on_disk)]
        axes.plot(
            ends,
            [ours[max(ours)] * end / max(ours) for end in ends],
            color=plots.GREY,
            linewidth=1,
            zorder=0,
            label="in proportion to ratings",
        )
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set(title=f"Seconds of a sweep, K = {width} (dashed: inexact)")
    panels[1].set(title="Peak memory, GB", xlabel="ratings")
    panels[0].legend(frameon=False)
    for axes in panels:
        axes.yaxis.set_major_formatter("{x:g}")
    figure.savefig(HERE / "results/growth.svg", metadata={"Date": None})
    first, last = min(ours), max(ours)
    seconds = {n: median(peers[OURS], width, "wall") for n, peers in sizes.items()}
    of_rating = [1e9 * s / n for n, s in seconds.items() if n >= 1e6]
    next_best = min(
        median(peer, width, "wall") for name, peer in sizes[last].items() if name != OURS
    )
    return (
        "![Two panels, axes logarithmic, against the number of ratings from "
        f"{first / 1e6:g} to {max(on_disk) / 1e6:,.0f} million. Above, seconds of a sweep: alslib "
        f"goes from {short(seconds[first])} to {short(seconds[last])} at {last / 1e6:.0f} million, "
        f"from a million on with {min(of_rating):.0f} to {max(of_rating):.0f} ns a rating; there "
        f"the next takes {next_best / seconds[last]:.1f} times as long. Below, peak memory: flat "
        "where Python and its libraries are most of it, then in proportion; with ratings in a "
        f"file {on_disk[max(on_disk)][1]:.2g} GB hold "
        f"{max(on_disk) / 1e6:,.0f} million.](results/growth.svg)"
    )


def features_table():
    """Return seconds of the features' update beside those of the rows, and peak memory."""
    results = json.loads((HERE / "results/features.json").read_text())
    rows, most_sweeps = [], max(run["n_sweeps"] for run in results["runs"])
    for run in results["runs"]:
        of_features, of_rows = run["features_seconds"], run["rows_seconds"]
        steps = run["cg_steps"]
        rows.append(
            [
                run["shape"],
                run["known"],
                "exact" if steps is None else str(steps),
                short(of_features),
                short(of_rows),
                f"{of_features / of_rows:.2g}",
                f"{run['prepare_seconds']:.1f}",
                f"{run['rmse']:.4f}" if run["n_sweeps"] == most_sweeps else "–",
                f"{run['peak_bytes'] / 1e9:.2f}",
            ]
        )
    header = "like | known | steps | features, s | rows, s | ratio | before, s | RMSE | peak, GB"
    return [where_and_when({"": results}), table(header.split(" | "), rows)]


def on_paper_table():
    """Memory that each peer would need for as many ratings as were read from disk."""
    run, *_ = speed_runs().values()
    small, large = sorted(run["shapes"].values(), key=lambda facts: facts["n_ratings"])
    most = list(runs_by_size("from_disk").values())[-1]
    n_ratings, factors = most["read"]["n_ratings"], most["fit"]["bytes_of_factors"]
    rows = []
    for name, peer in complete(large).items():
        if name not in complete(small):
            continue
        width = widths_of(large)[0]  # the fewest bytes of factors
        more = median(peer, width, "peak") - median(small["peers"][name], width, "peak")
        bytes_of_rating = more / (large["n_ratings"] - small["n_ratings"])
        total = bytes_of_rating * n_ratings + factors
        rows.append([name, f"{bytes_of_rating:.1f}", f"{total / 1e9:.0f}"])
    return table(["in memory", "bytes a rating", f"{n_ratings / 1e6:,.0f} million, GB"], rows)


def cluster_tables():
    """Return what a cluster costs, the race with Spark, and what is on paper."""
    runs = runs_by_size("cluster")
    return [cluster_table(runs), race_table(runs), where_and_when(runs), spread_factors_table()]


def bytes_of_rows(n_rows, n_factors):
    return n_rows * (8 + 4 * n_factors)  # a bias in float64, factors in float32


def cluster_table(runs):
    """Threads of one process against processes of a cluster, for each number of ratings."""
    rows = []
    for millions, run in runs.items():
        (threads, workers), (threads_cpu, workers_cpu) = (
            [statistics.median(run[what][way][2:]) for way in WAYS]
            for what in ("seconds", "cpu_seconds")
        )
        everything = bytes_of_rows(run["n_users"] + run["n_items"], run["n_factors"])
        errors = 16 * run["n_users"]
        counted = (run["n_workers"] + 1) * everything + errors
        rows.append(
            [
                f"{millions:,g} million",
                f"{threads:.2f} ({threads_cpu:.2f})",
                f"{workers:.2f} ({workers_cpu:.2f})",
                f"{workers / threads:.2f} ({workers_cpu / threads_cpu:.2f})",
                f"{run['bytes_moved'][-1] / 1e6:,.1f}",
                f"{counted / 1e6:,.1f}",
                f"{statistics.median(run['bytes_on_line'][2:]) / 1e6:,.0f}",
                f"{run['spread_seconds']:,.0f}",
                f"{run['read_seconds']:,.0f}",
                f"{max(run['peak_bytes_of_workers']) / 1e9:.2f}",
                f"{run['peak_bytes_of_client'] / 1e9:.2f}",
            ]
        )
    header = (
        "ratings | threads, s | workers, s | ratio | moved, MB | formula, MB | on the line, MB | "
        "to deal out, s | to read, s | a worker's peak, GB | client's peak, GB"
    )
    return table(header.split(" | "), rows)


def race_table(runs):
    """Spark, and our cluster on the same files until its error is as small as Spark's."""
    rows = []
    for millions, run in runs.items():
        if "race" not in run:
            continue
        spark, ours = run["race"]["spark"], run["race"]["ours"]
        ours_seconds, n_sweeps = sum(ours["seconds_of_sweeps"]), len(ours["seconds_of_sweeps"]) - 1
        rows.append(
            [
                f"{millions:,g} million",
                "Spark",
                f"{spark['prepare_seconds']:,.0f}",
                f"{spark['seconds_of_sweep']:,.2f}",
                f"{spark['n_sweeps']}",
                f"{spark['rmse']:.4f}",
                f"{spark['seconds_of_fit']:,.1f}",
                f"{spark['seconds_of_fit'] / ours_seconds:.1f}",
                f"{spark['peak_bytes_of_java'] / 1e9:.2f}",
            ]
        )
        rows.append(
            [
                f"{millions:,g} million",
                "**two workers**",
                f"{ours['prepare_seconds']:,.0f}",
                f"{statistics.median(ours['seconds_of_sweeps'][1:]):,.2f}",
                f"{n_sweeps}",
                f"{ours['rmse'][-1]:.4f}",
                f"{ours_seconds:,.1f}",
                "1",
                f"{sum(ours['peak_bytes_of_workers']) / 1e9:.2f}",
            ]
        )
    header = (
        "ratings | fitted by | to prepare, s | a sweep, s | sweeps | RMSE then | in all, s | "
        "times ours | peak, GB"
    )
    return table(header.split(" | "), rows)


def spread_factors_table():
    """What a sweep would move, and a worker hold, if there were a billion users."""
    n_users, n_factors = 10**9, from_disk.N_FACTORS
    degrees = user_degrees(
        from_disk.USERS_OF_FILE,
        from_disk.N_ITEMS,
        from_disk.RATINGS_OF_FILE,
        from_disk.MINIMUM,
    )
    users = bytes_of_rows(n_users, n_factors)
    # The triangle of the normal matrix and the right side of a bias and K factors, in float64.
    n_unknown = n_factors + 1
    bytes_of_sums = 8 * (n_unknown * (n_unknown + 1) // 2 + n_unknown)
    rows = []
    for n_items in (from_disk.N_ITEMS, 10**7):
        items = bytes_of_rows(n_items, n_factors)
        for n_workers in (10, 100, 1000):
            # A worker that has one in W of the ratings, by items, needs so much of the users.
            named = (1 - (1 - 1 / n_workers) ** degrees).mean()
            exchanged = (n_workers - 1) * items  # from who solves for an item to all others
            moved_and_held = (
                ((n_workers + 1) * (users + items) + 16 * n_users, users + items),
                (
                    (n_workers - 1) * n_items * bytes_of_sums + exchanged,
                    users / n_workers + items + n_items * bytes_of_sums,
                ),
                (
                    (n_workers - 1) * named * users + exchanged,
                    users / n_workers + items + named * users,
                ),
            )
            cells = [f"{n / 1e9:,.1f}" for pair in moved_and_held for n in pair]
            rows.append([f"{n_items:,}", f"{n_workers:,}", *cells])
    header = (
        "items | workers | as now: moved, GB | each holds, GB | sums of items: moved, GB | "
        "each holds, GB | users that are named: moved, GB | each holds, GB"
    )
    return table(header.split(" | "), rows)


def draw(shape, facts):
    """Draw seconds per sweep against K; return what is seen."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    widths = [int(width) for width in widths_of(facts)]
    ends = {}
    for name, peer in complete(facts).items():
        measured = [width for width in widths if str(width) in peer["repeats"]]
        seconds = [median(peer, str(width), "wall") for width in measured]
        ends[name] = measured[-1], seconds[-1]
        axes.plot(
            measured,
            seconds,
            color=COLOURS[name.split()[0]],
            linewidth=3 if name == OURS else 1.5,
            linestyle="--" if "inexact" in peer["step"] else "-",
            marker="o",
        )
    slowest_first = sorted(ends, key=lambda name: ends[name][1], reverse=True)
    low, high = axes.get_ylim()
    gap, above = (high / low) ** 0.055, high * 2
    for name in slowest_first:  # labels that would touch move down
        width, seconds = ends[name]
        place = seconds
        if width == widths[-1]:
            place = above = min(seconds, above / gap)
        axes.annotate(
            f"{name} {short(seconds)} s",
            (width, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            weight="bold" if name == OURS else "normal",
            annotation_clip=False,
        )
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(
        xlabel="K, number of factors",
        title=f"Seconds per sweep, {shape}-shaped ratings (dashed: inexact)",
    )
    figure.savefig(HERE / "results/speed.svg", metadata={"Date": None})
    order = ", ".join(
        f"{name} {short(seconds)} s"
        for name in reversed(slowest_first)
        for width, seconds in [ends[name]]
        if width == widths[-1]
    )
    return (
        f"Seconds per sweep against the number of factors, axes logarithmic, on {shape}-shaped "
        f"ratings. At K = {widths[-1]}, from the fastest to the slowest: {order}."
    )


def speed_parts():
    """Return what `speed.py` has measured, a section for each kind of processor."""
    parts = []
    for kind, run in speed_runs().items():
        machine = run["machine"]
        versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
        parts += [
            f"### On a processor with {kind}",
            f"{run['date']}, {machine['processor']}, {machine['cores']} cores, "
            f"{machine['memory_gib']} GiB, {run['n_threads']} threads, Python "
            f"{machine['python']}; {versions}.",
        ]
        for shape, facts in run["shapes"].items():
            size = (facts["n_ratings"], facts["n_users"], facts["n_items"])
            title = "#### {}-shaped, {}: {:,} ratings, {:,} users, {:,} items"
            parts += [title.format(shape, kind, *size), sweep_table(facts), limit_sentence(facts)]
            parts += [*target_tables(facts), lists_table(facts)]
    return parts


def speed_figure():
    """Draw the run with most ratings; return it as Markdown, with its alternative text."""
    run, *_ = speed_runs().values()
    return f"![{draw(*largest(run))}](results/speed.svg)"


def main():
    mpl.rcParams.update({"svg.hashsalt": "alslib", "svg.fonttype": "path", "font.size": 11})
    readme = HERE / "README.md"
    text = readme.read_text()
    sections = {
        "speed": [*speed_parts(), speed_figure()],
        "accuracy": [accuracy_table()],
        "published": [published_table()],
        "newcomers": newcomers_tables(),
        "interview": [interview_table()],
        "features": features_table(),
        "growth": [*growth_table(), growth_figure()],
        "from disk": [*from_disk_table(), on_paper_table()],
        "cluster": cluster_tables(),
        "pages": pages_table(),
        "first use": first_use_tables(),
    }
    for name, written in sections.items():
        start, end = f"<!-- {name}: written by report.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(start)
        text = before + "\n\n".join([start, *written, end]) + rest.partition(end)[2]
    readme.write_text(text)


if __name__ == "__main__":
    main()

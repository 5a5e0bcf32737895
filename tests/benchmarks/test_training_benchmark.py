from bench_scripts import rows_of, run_script


def test_the_training_benchmark_runs_on_the_smallest_network():
    arguments = ["--sizes", "tiny", "--batch", "2", "--repetitions", "1", "--no-page"]
    rows = rows_of(run_script("training.py", *arguments, "--precisions", "float32", "bfloat16"))
    measured = [row for row in rows if row[0].startswith("tiny")]
    assert [row[1] for row in measured] == ["float32", "bfloat16"]
    for row in measured:
        clips_a_s, flop, rate, limit = (float(cell.replace(",", "")) for cell in row[4:8])
        assert clips_a_s > 0
        assert 0 < rate <= limit
        assert abs(rate - clips_a_s * flop) < 0.02 * rate
        # Weights, gradients and moments alone are less than a megabyte; torch itself takes some hundred.
        assert 50 < float(row[9].split()[0].replace(",", "")) < 4000
    assert [row[0] for row in rows[-2:]] == ["image", "camera"]

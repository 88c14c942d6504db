"""Scores of ranked candidates by plain loops over queries; equal scores have the last of their ranks."""


def ranks(scores):
    return [sum(other >= score for other in scores) for score in scores]


def reciprocal_rank(relevance, scores, k=None):
    first = min(rank for rank, value in zip(ranks(scores), relevance) if value > 0)
    return 1 / first if k is None or first <= k else 0.0


def average_precision(relevance, scores, k=None):
    total, hits = 0.0, sum(value > 0 for value in relevance)
    for value, rank, score in zip(relevance, ranks(scores), scores):
        if value > 0 and (k is None or rank <= k):
            total += sum(v > 0 and s >= score for v, s in zip(relevance, scores)) / rank
    return total / (hits if k is None else min(hits, k))

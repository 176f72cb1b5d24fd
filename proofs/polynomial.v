(* The chance that a wrong polynomial passes, for every number of variables and every grid
   (Schwartz, Journal of the ACM 27, 1980; Zippel, EUROSAM 1979). *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Polynomial.
Variable R : idomainType.

(* f is a polynomial of degree at most d in n variables: a sum of powers of the first one, each
   times a polynomial in the others of what is left of the degree. *)
Fixpoint polynomial (n d : nat) : (seq R -> R) -> Prop :=
  match n with
  | 0 => fun f => forall x, size x = 0%N -> f x = f [::]
  | n'.+1 => fun f => exists c : nat -> seq R -> R,
      (forall i, (i <= d)%N -> polynomial n' (d - i) (c i))
      /\ forall x xs, size xs = n' -> f (x :: xs) = \sum_(i < d.+1) x ^+ i * c i xs
  end.

(* The points of a grid that has the values S in each of n variables. *)
Fixpoint grid (n : nat) (S : seq R) : seq (seq R) :=
  match n with
  | 0 => [:: [::]]
  | n'.+1 => [seq x :: xs | x <- S, xs <- grid n' S]
  end.

(* The grid has |S|^n points. *)
Lemma size_grid n S : size (grid n S) = (size S ^ n)%N.
Proof. by elim: n => //= n IHn; rewrite size_allpairs IHn expnS. Qed.

(* Each point of the grid has n coordinates. *)
Lemma size_in_grid n (S : seq R) xs : xs \in grid n S -> size xs = n.
Proof.
elim: n xs => [|n IHn] xs /=; first by case: xs.
by case/allpairsP=> -[x ys] [_ /IHn <- ->].
Qed.

(* A sum of k + 1 powers whose last coefficient is not 0 is 0 at most k times in S. *)
Lemma count_roots k (a : nat -> R) (S : seq R) :
  uniq S -> a k != 0 -> (count (fun x => \sum_(i < k.+1) x ^+ i * a i == 0)%R S <= k)%N.
Proof.
move=> uniqS ak_neq0; pose p := \poly_(i < k.+1) a i.
have p_neq0 : p != 0.
  by apply: contraNneq ak_neq0 => /polyP/(_ k)/eqP; rewrite coef_poly ltnSn coef0.
rewrite -size_filter -ltnS (leq_trans _ (size_poly k.+1 a)) // max_poly_roots ?filter_uniq //.
apply/allP=> x; rewrite mem_filter rootE horner_poly => /andP[root_x _].
by under eq_bigr do rewrite mulrC.
Qed.

(* A polynomial that is not 0 everywhere is 0 on at most d of every |S| points of the grid: a wrong
   answer agrees with the right one there with a chance of at most d / |S|. *)
Theorem wrong_polynomial_passes_rarely n d f (S : seq R) :
  polynomial n d f -> uniq S -> (exists2 x, size x = n & f x != 0) ->
  (count (fun x => f x == 0%R) (grid n S) * size S <= d * size S ^ n)%N.
Proof.
move=> + uniqS; elim: n d f => [|n IHn] d f; first by move=> _ [[]//= _ /negPf ->].
case=> c [poly_c f_sum] [[//|x0 xs0] /= [size_xs0] f_neq0].
elim: {-2}d.+1 (leqnn d.+1) f_sum => [_|k IHk /ltnSE le_k] f_k.
  by rewrite f_k ?big_ord0 ?eqxx in f_neq0.
apply: (@classic_EM (exists2 xs, size xs = n & c k xs != 0%R)) => -[ck_neq0|ck0]; last first.
  apply: IHk => [|x xs size_xs]; first exact: leqW.
  rewrite f_k // big_ord_recr /=; have [->|ck] := eqVneq (c k xs) 0; last by case: ck0; exists xs.
  by rewrite mulr0 addr0.
rewrite expnSr mulnA leq_mul // -(subnKC le_k) mulnDl.
rewrite (leq_trans _ (leq_add (leqnn _) (IHn _ _ (poly_c k le_k) ck_neq0))) // -size_grid.
rewrite -2!sum1_count -sum1_size big_mkcond big_allpairs_dep exchange_big /=.
rewrite [X in (_ <= _ + X * _)%N]big_mkcond big_distrr big_distrl -big_split /=.
rewrite big_seq [X in (_ <= X)%N]big_seq; apply: leq_sum => xs /size_in_grid size_xs.
rewrite -big_mkcond sum1_count muln1; under eq_count do rewrite f_k //.
have [_|ck] := eqVneq; last by rewrite addn0 (@count_roots k (c^~ xs)).
by rewrite mul1n (leq_trans (count_size _ _)) // leq_addl.
Qed.

End Polynomial.
